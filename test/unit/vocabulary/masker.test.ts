import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MASK, Masker } from "../../../engine/vocabulary/masker.js";
import { encodedForms, MAX_SECRET } from "../../../engine/vocabulary/secret-forms.js";

/** What masking means, spelled out: every place of every form, neighbours together. */
function maskedPlainly(secrets: readonly string[], text: string): string {
  const hidden = new Array<boolean>(text.length).fill(false);
  for (const form of secrets.flatMap((secret) => [...encodedForms(secret)]))
    for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1))
      hidden.fill(true, at, at + form.length);
  let out = "";
  for (let at = 0; at < text.length; at++)
    if (!hidden[at]) out += text[at];
    else if (!hidden[at - 1]) out += MASK;
  return out;
}

/** Few letters, so that secrets overlap, repeat and contain each other. */
const letters = (min: number, max: number) =>
  fc.string({ unit: fc.constantFrom("a", "b", "c", "\n", '"', "\u00e9"), minLength: min, maxLength: max });
const secrets = fc.array(letters(3, 7), { minLength: 1, maxLength: 4 });
/** Text with secrets in it, plain and encoded. */
const texts = (known: readonly string[]) =>
  fc
    .array(
      fc.oneof(letters(0, 6), fc.constantFrom(...known.flatMap((secret) => [...encodedForms(secret)]))),
      {
        maxLength: 8,
      },
    )
    .map((parts) => parts.join(""));
const cases = secrets.chain((known) => fc.tuple(fc.constant(known), texts(known)));

/** Cuts a text after these shares of it. */
function cut(text: string, places: readonly number[]): string[] {
  const at = [...new Set(places.map((place) => Math.floor(place * text.length)))].sort((a, b) => a - b);
  return [0, ...at].map((from, index) => text.slice(from, at[index] ?? text.length));
}
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

describe("a masker", () => {
  test("hides every place of every form of every secret, and alters nothing else", () => {
    fc.assert(
      fc.property(cases, ([known, text]) => {
        expect(new Masker(known).mask(text)).toBe(maskedPlainly(known, text));
      }),
      { numRuns: 3000 },
    );
  });

  test("leaves no secret in what it gives", () => {
    fc.assert(
      fc.property(cases, ([known, text]) => {
        const out = new Masker(known).mask(text);
        for (const secret of known) expect(out).not.toContain(secret);
      }),
      { numRuns: 2000 },
    );
  });

  test("gives the same for a stream, wherever it is cut; at no moment a part of a secret is out", () => {
    fc.assert(
      fc.property(cases, cuts, ([known, text], places) => {
        const masker = new Masker(known);
        const stream = masker.stream();
        const whole = masker.mask(text);
        let out = "";
        for (const piece of cut(text, places)) {
          out += stream.push(piece);
          expect(whole.startsWith(out)).toBe(true);
        }
        expect(out + stream.end(true)).toBe(whole);
      }),
      { numRuns: 3000 },
    );
  });

  test("takes secrets while a stream flows, and knows them in what it held back", () => {
    const masker = new Masker(["hunter2"]);
    const stream = masker.stream();
    expect(stream.push("a hunt")).toBe("a ");
    masker.add(["huntsman"]);
    expect(stream.push("sman and hunter2!")).toBe(`${MASK} and ${MASK}!`);
    expect(stream.end()).toBe("");
  });

  test("without secrets holds nothing back", () => {
    const stream = new Masker().stream();
    expect(stream.push("any text")).toBe("any text");
  });
});

describe("the end of a stream", () => {
  const rest = (text: string) => {
    const stream = new Masker(["hunter2-and-more"]).stream();
    return stream.push(text) + stream.end();
  };

  test("that has the better part of a secret is masked, since it broke off there", () => {
    expect(rest("password: hunter2-a")).toBe(`password: ${MASK}`);
  });

  test("that only begins like one is told", () => {
    expect(rest("a hun")).toBe("a hun");
  });
});

describe("a secret is masked", () => {
  const key = 'line "one"\nsecond line\n\n}\nthird';
  const masker = new Masker(["p4ss/wörd+?", key]);
  const base64 = (text: string) => Buffer.from(text).toString("base64");

  test.each([
    ["in the middle of a word", "xp4ss/wörd+?x", `x${MASK}x`],
    ["in JSON", JSON.stringify({ k: key }), `{"k":"${MASK}"}`],
    ["in a URL", `http://u:${encodeURIComponent("p4ss/wörd+?")}@h/`, `http://u:${MASK}@h/`],
    ["in Base64", `x: ${base64("p4ss/wörd+?")}.`, `x: ${MASK}.`],
    ["line by line", '+line "one"\n+second line\n+}\n+third\n', `+${MASK}\n+${MASK}\n+}\n+${MASK}\n`],
    ["whole, its lines in one", `<${key}>`, `<${MASK}>`],
  ])("%s", (_where, text, expected) => {
    expect(masker.mask(text)).toBe(expected);
  });

  test.each(["", "u", "us", "usr", "user"])(
    "in the Base64 of %j:secret, but for the neighbours' bits",
    (name) => {
      const text = base64(`${name}:p4ss/wörd+?:rest`);
      const out = masker.mask(text);
      expect(out).toContain(MASK);
      for (let at = 0; at + 6 <= text.length; at++) {
        const piece = Buffer.from(text.slice(at, at + 6), "base64").toString("latin1");
        if (out.includes(text.slice(at, at + 6))) expect("p4ss/w").not.toContain(piece);
      }
    },
  );

  test("in Base64 that was wrapped into lines", () => {
    const long = "0123456789abcdefghij".repeat(12);
    const wrapped = base64(long).replace(/.{76}/g, "$&\n");
    expect(new Masker([long]).mask(wrapped)).toBe(
      wrapped
        .split("\n")
        .map((line) => line.replace(/.+/, MASK))
        .join("\n"),
    );
  });
});

test("the longest secret is masked, and its forms are no more than forty times as long as it is", () => {
  const long = Array.from(
    { length: 256 },
    () => `${randomBytes(32).toString("base64").slice(0, 43)}${"\u00e9".repeat(20)}`,
  ).join("\n");
  expect(long).toHaveLength(MAX_SECRET - 1);
  expect(new Masker([long]).mask(`a ${long} z`)).toBe(`a ${MASK} z`);
  const size = [...encodedForms(long)].reduce((sum, form) => sum + form.length, 0);
  expect(size).toBeLessThan(40 * long.length);
});

test("a megabyte with 50 secrets takes less than two seconds", () => {
  const known = Array.from({ length: 50 }, (_, index) => `secret-${index}-${"x".repeat(20)}`);
  const text = "secret-4 is no secret, but this one looks like it: secret-49-xxxx\n".repeat(16_000);
  const start = performance.now();
  expect(new Masker(known).mask(text)).toBe(text);
  expect(performance.now() - start).toBeLessThan(2000);
});
