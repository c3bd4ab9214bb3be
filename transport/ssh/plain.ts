/** Text of a server on its way into a message: one short line, no control or direction characters. */
export const plain = (text: string): string =>
  text
    .replace(/[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g, " ")
    .trim()
    .slice(0, 200);
