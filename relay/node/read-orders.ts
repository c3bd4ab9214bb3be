import { MopError } from "../../transport/errors.js";
import type { Value } from "../../transport/types.js";
import { decodeValue } from "../../transport/wire/value.js";
import type { AdoptOrder, BootOrder, PipeOrder, SpawnOrder, StartOrder } from "../orders.js";
import { decodeSessionState } from "../session/state.js";

/** Longest boot command that is taken: the real one has 3 kB. */
const MAX_COMMAND = 16 * 1024;
/** Most words of a command that is run here: the real ones have about 20. */
const MAX_WORDS = 64;

type Table = { readonly [key: string]: Value | undefined };

export const bad = (what: string) => new MopError("BAD_ARGUMENT", `the order is refused: ${what}`);

export function table(value: Value | undefined, what: string): Table {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array)
    throw bad(`${what} is no map`);
  return value as Table;
}

export function text(value: Value | undefined, what: string, max = 256): string {
  if (typeof value !== "string" || value.length > max || value.includes("\0"))
    throw bad(`${what} is no text of at most ${max} characters`);
  return value;
}

export function count(value: Value | undefined, what: string, min: number, max: number): number {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
    throw bad(`${what} is no number from ${min} to ${max}`);
  return value as number;
}

const ms = (value: Value | undefined, what: string) => count(value, what, 1, 2 ** 31 - 1);

export function readPipeOrder(value: Value): PipeOrder {
  const from = table(value, "pipe");
  const host = text(from.host, "host");
  if (host === "" || /[\s/\p{Cc}]/u.test(host)) throw bad("host is no name or address");
  return {
    host,
    port: count(from.port, "port", 1, 65_535),
    // 0: no deadline but the system's own
    connectTimeoutMs: count(from.connectTimeoutMs, "connectTimeoutMs", 0, 2 ** 31 - 1),
    keep: from.keep === true,
    // 0: none
    through: count(from.through ?? 0, "through", 0, 0xffffffff),
  };
}

function readBootOrder(value: Value | undefined): BootOrder {
  const from = table(value, "child");
  const nonce = text(from.nonce, "nonce", 64);
  if (!/^[0-9a-f]+$/.test(nonce)) throw bad("nonce is no hex number");
  return {
    id: count(from.id, "id", 1, 0xffffffff),
    name: text(from.name, "name"),
    nonce,
    title: text(from.title, "title"),
    run: text(from.run, "run"),
    heartbeatMs: ms(from.heartbeatMs, "heartbeatMs"),
    deadAfterMs: ms(from.deadAfterMs, "deadAfterMs"),
    bootTimeoutMs: ms(from.bootTimeoutMs, "bootTimeoutMs"),
    bringer: text(from.bringer ?? "", "bringer", 64),
  };
}

function readStartOrder({ child, elevation }: Table): StartOrder {
  if (elevation == null) return { child: readBootOrder(child), elevation: null };
  const { secret, words, sealed } = table(elevation, "elevation");
  if (!(secret instanceof Uint8Array)) throw bad("secret is no bytes");
  // Its own copy, to be overwritten
  return {
    child: readBootOrder(child),
    elevation: { secret: new Uint8Array(secret), words: words === true, sealed: sealed === true },
  };
}

/** The order in a message. The message may hold a session's keys or a password: it is overwritten, and what was decoded of it too. */
function readOrder<T>(message: Uint8Array, type: string, read: (from: Table) => T): T {
  let value: Value = null;
  try {
    value = decodeValue(message);
    const from = table(value, type);
    if (from.type !== type) throw bad(`only \`${type}\` can be ordered here`);
    return read(from);
  } finally {
    message.fill(0);
    wipe(value);
  }
}

export const readAdoptOrder = (message: Uint8Array): AdoptOrder =>
  readOrder(message, "adopt", (from) => ({
    type: "adopt",
    command: text(from.command, "command", MAX_COMMAND),
    ...readStartOrder(from),
    session: decodeSessionState(from.session ?? null),
  }));

export const readSpawnOrder = (message: Uint8Array): SpawnOrder =>
  readOrder(message, "spawn", (from) => {
    const { argv } = from;
    if (!Array.isArray(argv) || argv.length > MAX_WORDS || !argv[0]) throw bad("argv is no command");
    return {
      type: "spawn",
      argv: argv.map((word: Value) => text(word, "argv", MAX_COMMAND)),
      ...readStartOrder(from),
    };
  });

function wipe(value: Value | undefined): void {
  if (value instanceof Uint8Array) value.fill(0);
  else if (value && typeof value === "object") Object.values(value).forEach(wipe);
}
