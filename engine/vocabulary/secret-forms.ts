/** Masking shorter ones would garble everything else. */
export const MIN_SECRET = 3;
/** Longer ones would take too much memory of small hosts, several times their size */
export const MAX_SECRET = 16 * 1024;
/** Characters of a part of Base64 that are hardly there by chance */
const MIN_BASE64 = 8;
/** Where `base64` and PEM break their lines */
const WRAPS = [76, 64];

/**
 * Every text in which a secret may be met: itself, each of its lines, and these as JSON, URLs and Base64 write them,
 * also in the middle of a longer Base64.
 */
export function encodedForms(secret: string): Set<string> {
  const forms = new Set<string>();
  const lines = secret.split(/\r\n|\n|\r/).map((line) => line.trim());
  for (const text of [secret, ...lines]) {
    if (text.length < MIN_SECRET) continue;
    forms.add(text);
    forms.add(JSON.stringify(text).slice(1, -1));
    forms.add(urlForm(text));
    for (const form of base64Forms(text)) forms.add(form);
  }
  return forms;
}

/** What is no whole character has no form in a URL. */
function urlForm(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return text;
  }
}

function* base64Forms(text: string): Generator<string> {
  const bytes = Buffer.from(text);
  const whole = bytes.toString("base64");
  yield* spellings(whole);
  for (const width of WRAPS)
    for (let at = 0; whole.length > width && at < whole.length; at += width)
      if (whole.length - at >= MIN_BASE64) yield whole.slice(at, at + width);
  // Within a longer text it begins at any of three places of a group; what depends on its neighbours is left away.
  for (const before of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    const bits = padded.length * 8;
    const inner = padded.toString("base64").slice(Math.ceil((before * 8) / 6), Math.floor(bits / 6));
    if (inner.length >= MIN_BASE64) yield* spellings(inner);
  }
}

/** As Base64 and as its variant for URLs, with padding and without. */
function* spellings(base64: string): Generator<string> {
  for (const text of [base64, base64.replace(/\+/g, "-").replace(/\//g, "_")]) {
    yield text;
    yield text.replace(/=+$/, "");
  }
}
