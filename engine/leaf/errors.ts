import type { Result } from "../vocabulary/resources.js";

/** A resource that failed: what role code catches. `import { ResourceError } from "mop"` on a leaf gives this class. */
export class ResourceError extends Error {
  override readonly name = "ResourceError";
  readonly type: string;
  readonly resourceName: string;
  readonly result: Result;

  constructor(type: string, resourceName: string, result: Result, options?: { cause?: unknown }) {
    super(`${type} ${resourceName}: ${result.error ?? "failed"}`, options);
    this.type = type;
    this.resourceName = resourceName;
    this.result = result;
  }
}

/** A cause that a type foresaw; its message is one sentence for the operator, without type and name. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

const CAUSES: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "not permitted to this user",
  ENOSPC: "no space left on the device",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EIO: "the device reports an input/output error",
  ENOENT: "it does not exist",
  ENOTDIR: "a part of the path is not a folder",
  EISDIR: "it is a folder",
  ENOTEMPTY: "the folder is not empty",
  ELOOP: "too many symbolic links lead in a circle",
  ENAMETOOLONG: "the name is too long",
  EMFILE: "too many files are open",
  EBUSY: "it is in use",
  ETXTBSY: "it is a program that is running",
};

/** Why a system call failed, in words; the code for what has none. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || error instanceof Refusal) return error.message;
  return CAUSES[code] ?? (/^E[A-Z0-9]+$/.test(code) ? code : error.message);
}

/** Whether a system call failed with one of these codes, or with any when none is named. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code !== undefined && (codes.length === 0 || codes.includes(code));
}

/** The reason that a signal was aborted for, where one was named. Node before 16.14 doesn't keep it. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error && reason.name !== "AbortError" ? reason : new Refusal("it was cancelled");
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortReason(signal);
}

/** `what` failed for the reason in `error`. */
export function refuse(what: string, error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal(`${what}: ${causeOf(error)}`);
}
