import type { Value } from "../../../transport/types.js";

type Texts = { readonly [name: string]: Value };

/** The same data, each text in it masked, names of members too. */
export const maskTexts = (fields: Texts, mask: (text: string) => string): Texts =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [mask(name), maskedValue(value, mask)]));

function maskedValue(value: Value, mask: (text: string) => string): Value {
  if (typeof value === "string") return mask(value);
  if (Array.isArray(value)) return value.map((item: Value) => maskedValue(item, mask));
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return maskTexts(value as Texts, mask);
}
