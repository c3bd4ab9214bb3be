import type { Mesh, NodeHandle } from "../../../../relay/mesh/types.js";
import type { NodeInfo } from "../../../../transport/types.js";
import { encodeValue } from "../../../../transport/wire/value.js";
import { readEvent, readResult } from "../leaf-events.js";
import type { WingFiles } from "../wing-files.js";

/** What a host says of itself once its node runs. */
export interface Probe {
  /** Path of the Node that runs there, "" where it can't be told */
  readonly node: string;
  /** How far its clock is ahead of ours, in s; as whole seconds are told, 1 means nothing */
  readonly aheadS: number | undefined;
  /** Free kilobytes by folder */
  readonly freeKb: ReadonlyMap<string, number>;
  /** Bytes a second from there to here; undefined where nothing came */
  readonly bytesPerS: number | undefined;
}

const TIMEOUT_MS = 20_000;
/** Bytes that are asked for at first; more, where they took no time: what seems to come in a second, to this limit. */
const FIRST_BYTES = 64 * 1024;
const MOST_BYTES = 1024 * 1024;
/** What comes in fewer ms says little of the link. */
const MEASURABLE_MS = 200;

/** Looks around by one small command, then has the host send something. Nothing is written there. */
export async function probe(mesh: Mesh, node: NodeHandle, info: NodeInfo, wing: WingFiles): Promise<Probe> {
  mesh.offer([wing.entry], [node]);
  const run = (command: string) => outputOf(node, wing.entry.hash, command);
  // Within sh, whatever the login's shell is
  const exe = `readlink /proc/${info.pid}/exe 2>/dev/null || ps -o comm= -p ${info.pid}`;
  const said = await run(`exec sh -c '${exe}; echo =; date +%s; echo =; df -Pk "\${TMPDIR:-/tmp}" "$HOME"'`);
  const [path = "", seconds = "", disk = ""] = said.text.split(/^=$/m);
  const now = Number(seconds.trim());
  let bytesPerS: number | undefined;
  for (let size = FIRST_BYTES; ; size = Math.min(bytesPerS, MOST_BYTES)) {
    const { laterBytes, laterMs } = await run(
      `exec sh -c 'dd if=/dev/zero bs=1024 count=${Math.ceil(size / 1024)} 2>/dev/null | tr "\\000" x'`,
    );
    if (laterBytes === 0 || laterMs === 0) break;
    bytesPerS = (laterBytes / laterMs) * 1000;
    if (laterMs > MEASURABLE_MS || size > FIRST_BYTES || bytesPerS <= FIRST_BYTES) break;
  }
  return {
    node: path.trim(),
    aheadS: Number.isInteger(now) && now > 0 ? now - Math.floor(said.atMs / 1000) : undefined,
    freeKb: readFree(disk),
    bytesPerS,
  };
}

/** `df -Pk`: what is available is the fourth column, where it is mounted the sixth. */
export function readFree(text: string): Map<string, number> {
  const free = new Map<string, number>();
  for (const line of text.trim().split("\n").slice(1)) {
    const columns = line.trim().split(/\s+/);
    const kb = Number(columns[3]);
    if (columns.length >= 6 && Number.isInteger(kb)) free.set(columns.slice(5).join(" "), kb);
  }
  return free;
}

interface Output {
  readonly text: string;
  readonly atMs: number;
  /** What came behind the first piece, and how long that took: until then a process was started */
  readonly laterBytes: number;
  readonly laterMs: number;
}

async function outputOf(node: NodeHandle, entry: string, command: string): Promise<Output> {
  let text = "";
  let first: { readonly bytes: number; readonly at: number } | undefined;
  let last = 0;
  const from = Date.now();
  const result = await node.wing({
    entry,
    order: encodeValue({ kind: "command", command, timeoutMs: TIMEOUT_MS }),
    onEvent(bytes) {
      const event = readEvent(bytes);
      if (event?.event === "output" && event.stream === "stdout") {
        text += event.text;
        last = performance.now();
        first ??= { bytes: text.length, at: last };
      }
    },
  });
  readResult(result);
  // In the middle of the two moments between which it was said
  const atMs = (from + Date.now()) / 2;
  return { text, atMs, laterBytes: text.length - (first?.bytes ?? 0), laterMs: last - (first?.at ?? last) };
}
