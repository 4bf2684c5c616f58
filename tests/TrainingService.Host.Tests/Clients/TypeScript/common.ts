export const sleep = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

export function check(isRight: boolean, what: string) {
  if (!isRight) throw new Error(`wrong: ${what}`);
}
