// What the first checks find out, and every other check stands on.
export const about = {
  region: process.env.AWS_REGION,
  account: '',
  partition: '',
  /** As in site.mjs. */
  site: undefined,
};

/** Asks once, however many checks want the answer. */
export function once(ask) {
  let answer;
  return () => (answer ??= ask());
}
