/**
 * Resource types that don't travel with the leaf's wing but in parts of their own, to the roles that use them: name of
 * the part (engine/leaf/parts/NAME.ts, a bundle of the same name) to the types in it.
 */
export const TYPE_PARTS: Readonly<Record<string, readonly string[]>> = {
  files: ["copyTree", "archive", "lineInFile", "blockInFile", "fetch"],
  commands: ["command", "script", "git", "waitFor", "assert", "debugFacts"],
};

/** Options of types in the wing that need a part. */
export const OPTION_PARTS: Readonly<Record<string, string>> = { url: "files" };

/** The part that has a type; undefined for what the wing itself has, and for unknown names. */
export function partOf(type: string): string | undefined {
  return Object.keys(TYPE_PARTS).find((part) => TYPE_PARTS[part]?.includes(type));
}
