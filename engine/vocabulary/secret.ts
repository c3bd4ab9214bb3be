import { MAX_SECRET, MIN_SECRET } from "./secret-forms.js";

/**
 * The texts that were marked in this process. The one thing that modules share beside their arguments: a policy calls
 * `secret` while it is loaded, perhaps from another copy of this package, and nobody hands it anything then.
 */
const REGISTRY = Symbol.for("mop:secrets");

type Holder = { [REGISTRY]?: Set<string> };

/**
 * Marks a text as secret and gives it back: wherever it is about to be shown (events, output, diffs, logs, errors),
 * `********` stands instead, also within longer texts. For variables of policies, roles, entries and inventories, and
 * for what a role's `main` makes or reads on the host.
 */
export function secret(text: string): string {
  const why = unfitSecret(text);
  if (why !== undefined) throw new Error(`secret() ${why}`);
  markSecret(text);
  return text;
}

/** Why a value can't be kept secret, as the end of a sentence; nothing of the value stands in it. */
export function unfitSecret(value: unknown): string | undefined {
  if (typeof value !== "string")
    return `takes a text, and was given ${value === undefined ? "undefined: is the place that it comes from empty?" : kindOf(value)}`;
  if (value.length > MAX_SECRET)
    return `was given a text of ${value.length} characters; a secret has ${MAX_SECRET} at most`;
  if (value.trim().length >= MIN_SECRET) return undefined;
  return `was given ${value === "" ? "an empty text" : `a text of ${value.length} characters`}; a secret has ${MIN_SECRET} at least, since masking shorter ones would garble all output`;
}

const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "a list" : `a value of the type ${typeof value}`;

export function markSecret(text: string): void {
  const holder = globalThis as Holder;
  holder[REGISTRY] ??= new Set();
  holder[REGISTRY].add(text);
}

/** All that were marked so far, in this order. */
export function markedSecrets(): ReadonlySet<string> {
  return (globalThis as Holder)[REGISTRY] ?? new Set();
}
