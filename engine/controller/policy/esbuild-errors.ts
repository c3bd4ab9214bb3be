import path from "node:path";
import type { BuildFailure, Message } from "esbuild";
import { messageOf, PolicyError } from "../policy-error.js";

/** The first error of a failed build as one sentence with its place. Paths of messages are relative to `folder`. */
export function buildError(error: unknown, folder: string, doing: string): PolicyError {
  if (error instanceof PolicyError) return error;
  const first = (error as Partial<BuildFailure> | null)?.errors?.[0];
  return first
    ? messageError(first, folder)
    : new PolicyError(`${doing} failed: ${messageOf(error)}`, undefined, { cause: error });
}

export function messageError(message: Message, folder: string): PolicyError {
  const { location, detail } = message;
  if (detail instanceof PolicyError) return detail;
  // A file that could not be read: the message's place would be in esbuild
  const { code, path: unread } = (detail ?? {}) as NodeJS.ErrnoException;
  if (typeof code === "string" && unread !== undefined)
    return new PolicyError(`the file can't be read (${code})`, { file: unread });
  const text = sentence(message.text);
  if (!location) return new PolicyError(text);
  const file = path.resolve(folder, location.file.replace(/^[a-z-]+:/, ""));
  return new PolicyError(text, { file, line: location.line, column: location.column + 1 });
}

function sentence(text: string): string {
  const missing = /^Could not resolve "(.*)"$/.exec(text);
  if (missing) {
    const [, name = ""] = missing;
    const way = /^[./]/.test(name) ? "" : "; as a package it has to be installed where the policy lies";
    return `the import "${name}" can't be found${way}`;
  }
  const native = /^No loader is configured for "(.*)" files: (.*)$/.exec(text);
  if (native) return `${native[2]} can't be imported: there is no way to load ${native[1]} files`;
  return text.charAt(0).toLowerCase() + text.slice(1);
}
