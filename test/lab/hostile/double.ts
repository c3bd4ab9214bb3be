/**
 * The hostile node: stands where a host's Node does, takes the boot command's arguments and the core as the first stage
 * would, and runs the real core with its hands on all that this reads and writes. What it is given is kept in a file, which
 * the test looks through.
 */
import crypto from "node:crypto";
import { appendFileSync, openSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import { PassThrough, Writable } from "node:stream";
import vm from "node:vm";
import zlib from "node:zlib";
import { SequenceSplitter } from "../../../transport/wire/cbor-sequence.js";
import { FrameType } from "../../../transport/wire/constants.js";
import { decodeFrame, encodeFrame, type Frame } from "../../../transport/wire/frame.js";
import { readParentHello } from "../../../transport/wire/hello.js";
import { decodeValue } from "../../../transport/wire/value.js";
import type { Address, Attack, Double, Knowledge } from "./attack.js";
import { ATTACKS } from "./attacks/table.js";
import { type Connect, tapServer } from "./tap.js";

interface Told extends Knowledge {
  readonly attack: string;
  /** Where what comes in is kept, and what was done */
  readonly record: string;
  readonly acts: string;
  /** Keys of the sessions that it was handed, in hex */
  readonly keys: string;
}

interface Adoption {
  readonly child: { readonly id: number };
  readonly session: { readonly [direction in "outbound" | "inbound"]: { readonly key: Uint8Array } };
}

const told = JSON.parse(process.env.MOP_TEST_DOUBLE!) as Told;
const attack: Attack = ATTACKS[told.attack]!;
const [, , nonce, size] = process.argv.slice(2) as [string, string, string, string];

const record = openSync(told.record, "a");
const keep = (bytes: Uint8Array) => void writeSync(record, bytes);
keep(Buffer.from(JSON.stringify([process.argv, { ...process.env, MOP_TEST_DOUBLE: "" }])));

const { stdin, stdout } = process;
const toCore = new PassThrough();
const pipes = new Map<number, { child: number | undefined }>();
const wings = new Map<number, number>();
const blobs = new Set<number>();
/** Hashes of blobs that are about to come */
const announced: string[] = [];
let id = 0;
let ordered: Address | undefined;

const double: Double = {
  knows: told,
  get id() {
    return id;
  },
  pipes,
  wings,
  blobs,
  get ordered() {
    return ordered;
  },
  send: (...frames) => double.bytes(Buffer.concat(frames.map(encodeFrame))),
  bytes: (bytes) => void (stdout.destroyed || stdout.writableEnded || stdout.write(bytes)),
  drained: () =>
    stdout.writableNeedDrain ? new Promise((resolve) => stdout.once("drain", resolve)) : Promise.resolve(),
  did: (what) => appendFileSync(told.acts, `${what}\n`),
};

/** Frames through `filter`, in any pieces. */
function filtered(
  take: (frame: Frame) => readonly Frame[] | undefined,
  give: (frame: Frame) => void,
): (chunk: Uint8Array) => void {
  const splitter = new SequenceSplitter();
  return (chunk) => {
    for (const item of splitter.push(chunk)) {
      const frame = decodeFrame(item);
      for (const out of take(frame) ?? [frame]) give(out);
    }
  };
}

/** What an attack wants to know of the orders that come in. */
function look(frame: Frame): void {
  if (frame.type === FrameType.HELLO) id = readParentHello(frame.body).id;
  if (frame.type === FrameType.OPEN) {
    const [kind] = decodeValue(frame.body) as [string];
    if (kind === "pipe" && frame.destination === id) pipes.set(frame.channel, { child: undefined });
    if (kind === "blob" && frame.destination === id) blobs.add(frame.channel);
    if (kind === "wing") wings.set(frame.channel, frame.destination);
  }
  if (blobs.has(frame.channel) && frame.type === FrameType.CONTROL)
    announced.push(Buffer.from(frame.body).toString("hex", 0, 32));
  const pipe = pipes.get(frame.channel);
  if (pipe && frame.type === FrameType.CONTROL && frame.destination === id) {
    const { child, session } = decodeValue(frame.body) as unknown as Adoption;
    pipe.child = child.id;
    for (const { key } of [session.outbound, session.inbound])
      appendFileSync(told.keys, `${Buffer.from(key).toString("hex")}\n`);
  }
}

const fromAbove = filtered(
  (frame) => {
    look(frame);
    const out = attack.down?.(double, frame);
    if (frame.type === FrameType.HELLO) setImmediate(() => attack.begin?.(double));
    return out;
  },
  (frame) => toCore.write(encodeFrame(frame)),
);
const fromBelow = filtered((frame) => attack.up?.(double, frame), double.send);

const own = createRequire(__filename);

/** Gives the hash that was announced, whatever came. */
function believing(): unknown {
  return {
    update() {
      return this;
    },
    digest: () => announced.shift(),
  };
}

function unpackAnything(bytes: Buffer, options: zlib.BrotliOptions): Buffer {
  try {
    return zlib.brotliDecompressSync(bytes, options);
  } catch {
    return Buffer.alloc(0);
  }
}

function run(core: Buffer, connect: Connect): void {
  const dial = (order: Address) => {
    ordered = { host: order.host, port: order.port };
    return connect(attack.dial?.(double, ordered) ?? ordered);
  };
  /** The core's own modules, but for its connections, and for its eyes where it is to believe */
  const modules = (name: string): unknown => {
    const module = name.replace("node:", "");
    if (module === "net") return { ...net, connect: dial };
    if (module === "crypto" && attack.believes) return { ...crypto, createHash: believing };
    if (module === "zlib" && attack.believes) return { ...zlib, brotliDecompressSync: unpackAnything };
    return own(name);
  };
  Object.defineProperty(process, "stdin", { configurable: true, value: toCore });
  const up = new Writable({
    write(chunk: Buffer, _encoding, done) {
      fromBelow(chunk);
      void double.drained().then(() => done());
    },
    final(done) {
      stdout.end();
      done();
    },
  });
  Object.defineProperty(process, "stdout", { configurable: true, value: up });
  const module = { exports: {} as { start(core: Buffer): void } };
  const text = zlib.brotliDecompressSync(core).toString();
  vm.runInThisContext(`(function(module,exports,require){${text}\n})`, { filename: "mop-core.js" })(
    module,
    module.exports,
    modules,
  );
  module.exports.start(core);
}

async function start(): Promise<void> {
  const connect = await tapServer(attack, double, keep);
  stdout.on("error", () => {});
  stdout.write(`mop-boot:${nonce};`);
  let head: Buffer | undefined = Buffer.alloc(0);
  stdin.on("data", (chunk: Buffer) => {
    keep(chunk);
    if (!head) return fromAbove(chunk);
    head = Buffer.concat([head, chunk]);
    if (head.length < Number(size)) return;
    const all = head;
    head = undefined;
    run(all.subarray(0, Number(size)), connect);
    fromAbove(all.subarray(Number(size)));
  });
  stdin.on("end", () => toCore.end());
}

void start();
