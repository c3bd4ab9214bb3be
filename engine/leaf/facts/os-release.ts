import type { Facts } from "../../vocabulary/facts.js";

export type Distribution = Facts["distribution"];

/** The names and values of an os-release file: shell assignments, with or without quotes. */
export function parseAssignments(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*?)\s*$/.exec(line);
    if (match) found.set(match[1]!, unquoted(match[2]!));
  }
  return found;
}

function unquoted(value: string): string {
  const single = /^'(.*)'$/.exec(value);
  if (single) return single[1]!;
  const double = /^"(.*)"$/.exec(value);
  return (double ? double[1]! : value).replace(/\\(["'\\$`])/g, "$1");
}

/** The distribution that an os-release file (freedesktop.org) describes. */
export function parseOsRelease(text: string): Distribution {
  const values = parseAssignments(text);
  const version = values.get("VERSION") ?? "";
  return {
    id: values.get("ID") ?? "linux",
    name: values.get("NAME") ?? values.get("ID") ?? "Linux",
    // A rolling distribution has no VERSION_ID, but mostly a build.
    version: values.get("VERSION_ID") ?? values.get("BUILD_ID") ?? "",
    codename: values.get("VERSION_CODENAME") ?? /\(([^)]+)\)\s*$/.exec(version)?.[1]?.toLowerCase() ?? "",
    like: (values.get("ID_LIKE") ?? "").split(/\s+/).filter((word) => word !== ""),
  };
}

/** macOS, from its SystemVersion.plist. */
export function parseSystemVersion(text: string): Distribution {
  const value = (key: string): string =>
    new RegExp(`<key>${key}</key>\\s*<string>([^<]*)</string>`).exec(text)?.[1] ?? "";
  return {
    id: "macos",
    name: value("ProductName") || "macOS",
    version: value("ProductVersion"),
    codename: "",
    like: ["darwin"],
  };
}
