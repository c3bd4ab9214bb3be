/** Resource types that the wing itself has (engine/leaf/types/table.ts). */
export const WING_TYPES = ["file", "directory", "link", "shell", "reboot", "echo"] as const;

/**
 * Resource types that don't travel with the leaf's wing but in parts of their own, to the roles that use them: name of
 * the part (engine/leaf/parts/NAME.ts, a bundle of the same name) to the types in it.
 */
export const TYPE_PARTS = {
  accounts: ["user", "group", "authorizedKey", "knownHost"],
  files: ["copyTree", "archive", "lineInFile", "blockInFile", "fetch"],
  commands: ["command", "script", "git", "waitFor", "assert", "debugFacts"],
  packages: ["package", "repository"],
  services: ["service"],
  system: ["cron", "sysctl", "hostname", "mount", "kernelModule"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Names of the types that are in parts. */
export type PartType = (typeof TYPE_PARTS)[keyof typeof TYPE_PARTS][number];

/** Options of types in the wing that need a part. */
export const OPTION_PARTS: Readonly<Record<string, string>> = { url: "files" };

/** The part that has a type; undefined for what the wing itself has, and for unknown names. */
export function partOf(type: string): string | undefined {
  return Object.entries<readonly string[]>(TYPE_PARTS).find(([, types]) => types.includes(type))?.[0];
}
