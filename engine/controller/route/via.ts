import { PolicyError } from "../policy-error.js";

/** One entry of mop_via, --via or ProxyJump: a hop, or several of which any will do. */
export interface ViaEntry {
  /** In the order in which they are tried */
  readonly alternatives: readonly string[];
  /** The controller may leave it out where it reaches the host behind it directly */
  readonly optional: boolean;
}

/** Reads `b1`, `b1|alt1` or `?b1`. */
export function parseVia(text: string, where: string): ViaEntry {
  const optional = text.startsWith("?");
  const alternatives = text
    .slice(optional ? 1 : 0)
    .split("|")
    .map((name) => name.trim());
  if (alternatives.includes(""))
    throw new PolicyError(
      `${where}: ${JSON.stringify(text)} lacks a host; alternatives are written as in b1|alt1, and a hop that may be left out as ?b1`,
    );
  return { alternatives, optional };
}
