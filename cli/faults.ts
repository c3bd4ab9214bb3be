import { PolicyError } from "../engine/controller/policy-error.js";
import { withoutSecrets } from "../engine/controller/secrets/known-secrets.js";
import { MopError } from "../transport/errors.js";
import { escapeLines } from "./output/escape.js";

/**
 * What the operator is told of an error: its sentence, safe for a terminal. An error that nobody foresaw is a fault of
 * mop's; its place goes along, since without it nobody could mend it.
 */
export function sentenceOf(error: unknown): string {
  return withoutSecrets(toldOf(error));
}

function toldOf(error: unknown): string {
  if (error instanceof PolicyError || error instanceof MopError) return escapeLines(error.message).join("\n");
  if (!(error instanceof Error)) return escapeLines(String(error)).join("\n");
  if (typeof (error as NodeJS.ErrnoException).code === "string") return escapeLines(error.message).join("\n");
  const place = /\((?:file:\/\/)?([^()]+:\d+:\d+)\)|at (?:file:\/\/)?(\S+:\d+:\d+)/.exec(error.stack ?? "");
  const where = place ? ` (${place[1] ?? place[2]})` : "";
  return `this is a fault in mop itself, please report it: ${escapeLines(error.message).join(" ")}${where}`;
}
