import { MopError } from "../../../transport/errors.js";
import type { Value } from "../../../transport/types.js";
import { decodeValue } from "../../../transport/wire/value.js";
import type {
  FetchEvent,
  NoticeEvent,
  OutputEvent,
  ResourceEvent,
  ResourceStatus,
} from "../../vocabulary/events.js";
import type { LeafResult } from "../../vocabulary/order.js";

type Fields = { readonly [key: string]: Value | undefined };

/** What a leaf reports while it runs. Its host and role are ours to say: it is believed in nothing else. */
export type CheckedEvent =
  | Omit<ResourceEvent, "host" | "role">
  | Omit<OutputEvent, "host" | "role">
  | NoticeEvent
  | FetchEvent
  /** A role's end: the wing's result says it again */
  | undefined;

const STATUSES: readonly string[] = ["ok", "changed", "failed", "skipped"] satisfies ResourceStatus[];

/** Reads one event; what is none is an error of the host's (PROTOCOL). Unknown members are dropped. */
export function readEvent(bytes: Uint8Array): CheckedEvent {
  const event = fields(decodeValue(bytes), "event");
  switch (event.event) {
    case "resource": {
      const { status, changes, diff, error, ignored, ms } = event;
      if (!isText(event.type) || !isText(event.name) || !isStatus(status)) throw malformed("resource event");
      if (!isTextList(changes)) throw malformed("list of changes");
      return {
        event: "resource",
        type: event.type,
        name: event.name,
        status,
        changes,
        ...(isText(diff) ? { diff } : {}),
        ...(isText(error) ? { error } : {}),
        ...(ignored === true && status === "failed" ? { ignored } : {}),
        ms: isCount(ms) ? ms : 0,
      };
    }
    case "output":
      if ((event.stream !== "stdout" && event.stream !== "stderr") || !isText(event.text))
        throw malformed("output event");
      return { event: "output", stream: event.stream, text: event.text };
    case "notice":
      if (!isText(event.text)) throw malformed("notice");
      return { event: "notice", text: event.text };
    case "fetch": {
      const { folder, path, size, hash, offset, bytes } = event;
      if (!isText(folder) || !isText(path) || !isText(hash)) throw malformed("piece of a file");
      if (!isCount(size) || !isCount(offset) || !(bytes instanceof Uint8Array))
        throw malformed("piece of a file");
      return { event: "fetch", folder, path, size, hash, offset, bytes };
    }
    case "role":
      return undefined;
    default:
      throw malformed("event");
  }
}

/** Reads a wing's last word (PROTOCOL when it is none). */
export function readResult(bytes: Uint8Array): LeafResult {
  const result = fields(decodeValue(bytes), "result");
  const { kind, status, error, rc, signal, message, stack } = result;
  if (kind === "role" && (status === "ok" || status === "failed"))
    return { kind, status, error: isText(error) ? error : null };
  if (kind === "reboot" && Array.isArray(result.done) && isText(result.boot) && isCount(result.waitMs))
    return { kind, done: result.done, boot: result.boot, waitMs: result.waitMs };
  if (kind === "command" && typeof rc === "number")
    return { kind, rc, signal: isText(signal) ? signal : null };
  if (kind === "facts" && isMap(result.facts))
    return { kind, facts: result.facts, error: isText(error) ? error : null };
  if (kind === "call") return { kind, value: result.value ?? null };
  if (kind === "error" && isText(message)) return { kind, message, stack: isText(stack) ? stack : null };
  throw malformed("result");
}

const malformed = (what: string): MopError => new MopError("PROTOCOL", `The host sent a malformed ${what}`);
const isMap = (value: Value | undefined): value is { readonly [key: string]: Value } =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
const isText = (value: unknown): value is string => typeof value === "string";
const isStatus = (value: unknown): value is ResourceStatus => isText(value) && STATUSES.includes(value);
const isCount = (value: unknown): value is number => typeof value === "number" && value >= 0;
const isTextList = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);

function fields(value: Value, what: string): Fields {
  if (!isMap(value)) throw malformed(what);
  return value;
}
