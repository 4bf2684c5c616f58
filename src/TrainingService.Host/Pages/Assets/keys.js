// Makes a key, which is shown this once.
import { el, send } from './api.js';
import { refresh, say } from './page.js';

document.getElementById('make').addEventListener('submit', async event => {
  event.preventDefault();
  const { name, owner, scope, expires } = event.target.elements;
  const wasOpen = document.querySelector('#make option:disabled') !== null;
  try {
    const { value } = await send('POST', '/api/v1/keys', {
      name: name.value,
      ...(owner.value && { owner: owner.value }),
      scopes: { read: ['read'], submit: ['read', 'submit'], admin: ['read', 'submit', 'admin'] }[scope.value],
      ...(expires.value && { expiresAt: `${expires.value}T00:00:00Z` }),
    });
    document
      .getElementById('made')
      .replaceChildren(
        el('p', { class: 'notice' }, `The key of ${value.owner}, told this once:`),
        el(
          'div',
          { class: 'code' },
          el('pre', { tabindex: 0 }, el('code', {}, value.key)),
          el('button', { class: 'plain copy', 'data-copy': '' }, 'Copy'),
        ),
        wasOpen && el('p', {}, 'Access is closed now. ', el('a', { href: '/sign-in?return=/keys' }, 'Sign in with it.')),
      );
    event.target.reset();
    if (!wasOpen) await refresh();
  } catch (error) {
    say(error.message);
  }
});
