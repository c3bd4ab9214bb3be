import { parse as parseToml } from "smol-toml";

/** The part "toml", for hosts that have a fact in TOML. Throws an Error for what is none. */
export function parse(text: string): unknown {
  // Nodes before 16.9 have no Object.hasOwn, which the package uses.
  const builtin: object = Object;
  if (!("hasOwn" in builtin))
    Object.assign(builtin, {
      hasOwn: (object: object, key: PropertyKey) =>
        Object.getOwnPropertyDescriptor(object, key) !== undefined,
    });
  return parseToml(text);
}
