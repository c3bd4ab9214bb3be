import { Duplex } from "node:stream";
import { afterReading } from "../../transport/after-reading.js";
import type { ErrorName } from "../../transport/errors.js";
import { createMarkerScan, quote } from "../boot/noise.js";
import { ASK, TAKE } from "../boot/runtime-words.js";
import { MopError } from "../node/shared.js";
import type { BringPort, Command, Runtime, Runtimes } from "./types.js";

/** Milliseconds for stderr's last words to come in after stdout ended; less than the boot itself waits. */
const LAST_WORDS_MS = 200;
/** Milliseconds for a first command to be closed. */
const CLOSE_MS = 1000;
/** Tries to run it again, and the milliseconds between them. */
const TRIES = 10;
const AGAIN_MS = 300;
/** Milliseconds until the host asks for a runtime or runs its own Node. */
const ASK_MS = 30_000;
/** Milliseconds without a byte that is taken, or an answer: hashing it and its first start are among them. */
const STALL_MS = 120_000;
/** Bytes written at once: what is taken of them shows that it goes on. */
const WRITE = 256 * 1024;
const NONE = "no Node 16 or newer there";
/** Most bytes that are kept for a second command: the core and what is sent behind it on trust. */
const KEPT_MAX = 4 << 20;

/**
 * The boot command (boot/runtime-finder.ts) as a pipe that may take longer: where the host has no Node it is brought one. Until
 * then stdin holds the core already, so the command is run once more, with stdin free for the runtime; what was
 * written to the first one follows when Node runs. Where stdin is free from the start (`held`), one command does it all.
 * The pipe fails with MopError NO_NODE or TIMEOUT.
 */
export function bring(runtimes: Runtimes, port: BringPort): Command {
  const { name, nonce, held } = port;
  const line = new RegExp(`mop-boot:${nonce}:(want|next|not)(?: ([^\\r\\n]*))?\\r?\\n`);
  /** What was written to a first command */
  let kept: Buffer[] | undefined = held ? undefined : [];
  let keptBytes = 0;
  /** Nothing but the runtime is written */
  let holds = false;
  let later: (() => void) | undefined;
  /** The command has said what it wants, or why it can't: its end says nothing more */
  let told = false;
  let tries = TRIES;
  let current: Command;
  let chosen: Runtime | undefined;
  let packs = false;
  let sent = 0;
  /** The host waits for a piece, but it is not our turn yet */
  let asked = false;
  /** Ends the patience */
  let calm = () => {};
  /** Gives back our turn */
  let leave: (() => void) | undefined;
  let onStderr: ((chunk: Buffer) => void) | undefined;
  let exited: (value: unknown) => void;
  const exit = new Promise<unknown>((resolve) => {
    exited = resolve;
  });

  // Not at once: what came may have come together with the login's answer, before anybody looks at the pipe
  const fail = (code: ErrorName, text: string) => {
    told = true;
    setImmediate(() => pipe.destroy(new MopError(code, `${name}: ${text}`)));
  };
  const patience = (ms: number, what: string) => {
    calm();
    calm = afterReading(ms, () => fail("TIMEOUT", `${what} for ${ms / 1000} s`));
  };
  const goesOn = () => patience(STALL_MS, "the Node that is brought there makes no progress");

  const pipe: Duplex = new Duplex({
    highWaterMark: 1 << 16,
    read() {
      current.pipe.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      forward(chunk, done);
    },
    writev(chunks, done) {
      forward(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), done);
    },
    final(done) {
      current.pipe.end();
      done();
    },
    destroy(error, done) {
      calm();
      leave?.();
      kept = undefined;
      current.pipe.destroy();
      exited(undefined);
      done(error);
    },
  });

  function forward(chunk: Buffer, done: () => void): void {
    if (holds || keptBytes > KEPT_MAX) later = () => forward(chunk, done);
    else {
      if (kept) {
        kept.push(chunk);
        keptBytes += chunk.length;
      }
      // That nobody takes it shows by the command's end
      current.pipe.write(chunk, () => done());
    }
  }

  /** Node runs: what was held back is its own. */
  function running(): void {
    calm();
    leave?.();
    if (holds) for (const chunk of kept ?? []) current.pipe.write(chunk);
    kept = undefined;
    keptBytes = 0;
    holds = false;
    const go = later;
    later = undefined;
    go?.();
  }

  async function want(platform = "", glibc = "", packing = ""): Promise<void> {
    chosen = new Map(Object.entries(runtimes)).get(platform);
    if (!chosen) return fail("NO_NODE", nothingFor(platform, Object.keys(runtimes)));
    if (isOlder(glibc, chosen.glibc))
      return fail(
        "NO_NODE",
        `${NONE}, and the one to bring for ${platform} needs glibc ${chosen.glibc}, while the host has ${glibc} ([runtimes] in defaults.toml names another file, mop_node a Node there)`,
      );
    packs = packing === "gz" && port.pack !== undefined;
    if (leave) return undefined;
    holds = true;
    told = !held;
    calm();
    // A server may allow one command at a time
    if (!held) await Promise.race([current.exit, after(CLOSE_MS)]);
    leave = await port.turn();
    if (pipe.destroyed) return leave();
    goesOn();
    if (!held) await repeat();
    else if (asked) sendNext();
    return undefined;
  }

  /** Runs the command once more; a server that allows one at a time may need a moment. */
  async function repeat(): Promise<void> {
    if (pipe.destroyed) return;
    try {
      const next = await port.run((text) => text.replace(ASK, TAKE));
      // It may have taken longer than anybody waits
      if (pipe.destroyed) next.pipe.on("error", () => {}).destroy();
      else use(next);
    } catch (error) {
      refused(error as Error);
    }
  }

  function refused(error: Error): void {
    if ((error as Partial<MopError>).code === "SSH_CHANNEL_REFUSED" && tries-- > 0)
      setTimeout(() => void repeat(), AGAIN_MS);
    else pipe.destroy(error);
  }

  function sendNext(): void {
    sendPiece().catch((error: Error) =>
      fail("NO_NODE", `${NONE}, and the one to bring can't be had: ${error.message}`),
    );
  }

  async function sendPiece(): Promise<void> {
    asked = false;
    const hash = chosen?.pieces[sent++];
    goesOn();
    if (hash === undefined) {
      current.pipe.write("0 -\n");
      return;
    }
    const plain = await port.piece(hash);
    const bytes = packs ? await port.pack!(hash, plain) : plain;
    current.pipe.write(`${bytes.length} ${packs ? "gz" : "raw"}\n`);
    for (let at = 0; at < bytes.length && !pipe.destroyed; at += WRITE) {
      await new Promise<void>((resolve) => {
        current.pipe.write(bytes.subarray(at, at + WRITE), () => resolve());
      });
      goesOn();
    }
  }

  function took(kind: string, rest: string): void {
    if (kind === "want")
      want(...rest.split(" ")).catch((error: Error) => {
        pipe.destroy(error);
      });
    else if (kind === "not")
      fail("NO_NODE", `${NONE}, and it can't be brought one: ${quote(rest, 700).slice(1, -1)}`);
    else if (leave) sendNext();
    else asked = true;
  }

  function use(next: Command): void {
    const scan = createMarkerScan(`mop-boot:${nonce};`);
    let words = "";
    current = next;
    told = false;
    const hear = (chunk: Buffer) => {
      if (scan.found || current !== next) return;
      words = (words + chunk.toString("utf8")).slice(-8192);
      for (let match = line.exec(words); match && !pipe.destroyed; match = line.exec(words)) {
        words = words.slice(match.index + match[0].length);
        took(match[1]!, match[2] ?? "");
      }
    };
    const ended = (error?: Error) => {
      if (current !== next || told || pipe.destroyed) return;
      if (error && next !== port.first && !scan.found) {
        // It is run again, or fails the pipe: that it closes, too, says nothing more
        told = true;
        refused(error);
      } else if (error || scan.found) finish(error);
      // What it wants may come in behind its end
      else afterReading(LAST_WORDS_MS, () => current === next && !told && finish());
    };
    const finish = (error?: Error) => {
      if (error) pipe.destroy(error);
      else pipe.push(null);
    };
    next.onStderr((chunk) => {
      hear(chunk);
      if (current === next) onStderr?.(chunk);
    });
    next.pipe.on("data", (chunk: Buffer) => {
      if (current !== next) return;
      if (!scan.found) {
        hear(chunk);
        if (scan.take(chunk)) running();
      }
      if (!pipe.push(chunk)) next.pipe.pause();
    });
    next.pipe.on("end", () => ended());
    next.pipe.on("error", (error) => ended(error));
    next.pipe.on("close", () => {
      if (!next.pipe.readableEnded) ended();
    });
    // One that ended before Node ran has another behind it, or fails the pipe
    void next.exit.then((status) => {
      if (scan.found) exited(status);
    });
  }

  patience(ASK_MS, "the boot command has not started Node");
  use(port.first);
  return {
    pipe,
    exit,
    onStderr(take) {
      onStderr = take;
    },
  };
}

const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Why nothing can be brought to a platform, and what would help. */
function nothingFor(platform: string, have: readonly string[]): string {
  const what = quote(platform).slice(1, -1);
  if (have.length === 0)
    return `${NONE}, none of mop's own is kept there, and none is brought for ${what} now (\`mop runtime list\` tells what can be)`;
  const known = /^(linux|darwin)-[\w-]+$/.test(platform);
  const ways = known
    ? `\`mop runtime add ${platform}\` fetches one where there is a source, [runtimes] in defaults.toml names a file`
    : "mop_node names a Node there";
  return `${NONE}, and none to bring for ${what} (there is ${have.join(", ")}; ${ways})`;
}

/** "2.17" before "2.28"; what is not known, or not asked for, is never too old. */
export function isOlder(has: string, needs: string): boolean {
  const [major = 0, minor = 0] = has.split(".").map(Number);
  const [least = 0, lesser = 0] = needs.split(".").map(Number);
  return major > 0 && least > 0 && (major < least || (major === least && minor < lesser));
}
