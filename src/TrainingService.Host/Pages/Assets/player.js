/** A slider over moments, and a button that runs through them: each is shown by `show(at)`. */
export class Player {
  #timer;

  constructor(slider, button, show) {
    Object.assign(this, { slider, button, show, at: 0, isLast: true });
    slider.addEventListener('input', () => this.go(Number(slider.value)));
    button.addEventListener('click', () => (this.#timer ? this.#stop() : this.#play()));
  }

  get last() {
    return Number(this.slider.max);
  }

  /** There are so many of them: whoever was at the last one is at the new last one. */
  set(count) {
    this.slider.max = count - 1;
    if (this.isLast || this.at > this.last) this.at = this.last;
    this.slider.value = this.at;
  }

  go(at) {
    Object.assign(this, { at, isLast: at === this.last });
    this.slider.value = at;
    this.show(at);
  }

  #play() {
    if (this.isLast) this.go(0);
    this.#say('Pause', true);
    this.#timer = setInterval(() => (this.isLast ? this.#stop() : this.go(this.at + 1)), Math.max(60, 4000 / (this.last + 1)));
  }

  #stop() {
    clearInterval(this.#timer);
    this.#timer = null;
    this.#say('Play', false);
  }

  #say(text, isPressed) {
    this.button.textContent = text;
    this.button.setAttribute('aria-pressed', isPressed);
  }
}
