import { Duplex } from "node:stream";
import { afterReading } from "../../transport/after-reading.js";
import { type ErrorName, MopError } from "../../transport/errors.js";
import type { Elevation } from "../orders.js";
import { createMarkerScan, createTail, quote } from "./noise.js";
import { createQuestions } from "./questions.js";

/** Most of a running node's stderr that is passed on, in characters: what is said without end would fill every link above. */
const LINES_MAX = 64 * 1024;
/** Milliseconds for stderr's last words to come in after stdout ended. */
const LAST_WORDS_MS = 300;

export interface BootOptions {
  /** What messages call the host */
  readonly name: string;
  readonly nonce: string;
  /** The core as it travels (Brotli) */
  readonly core: Uint8Array;
  /** Milliseconds until the first frame */
  readonly timeoutMs: number;
  /** The command becomes another account first: the core waits for that */
  readonly elevation?: Elevation | null | undefined;
  /** What a running node says on stderr, one untrusted line at a time */
  readonly onLine?: (line: string) => void;
}

/** A node that is being started. */
export interface Boot {
  /**
   * Frames may be written at once (they go behind the core); reads start with the node's first frame. Fails with
   * MopError NO_NODE, NODE_TOO_OLD, BOOT_FAILED, BECOME_REFUSED, CORE_CORRUPT or TIMEOUT.
   */
  readonly pipe: Duplex;
  /** To be called with what the command writes to stderr. */
  stderr(chunk: Uint8Array): void;
  /** Resolves at the first byte behind the marker; rejects with why the boot failed. */
  readonly booted: Promise<void>;
}

/**
 * Starts a node over the stdio of the boot command (`command.ts`), which has been sent already: writes the core and
 * skips what the host prints before the core runs.
 */
export function bootOverPipe(stdio: Duplex, options: BootOptions): Boot {
  const scan = createMarkerScan(`mop-boot:${options.nonce};`);
  const errors = createTail(8192);
  const questions = options.elevation && createQuestions(options.elevation, options.nonce);
  let lines = "";
  /** What is to follow the core, while that waits */
  let held: (() => void) | undefined;
  let sent = false;
  let room = LINES_MAX;
  let started = false;
  let settle: () => void;
  let refuse: (error: MopError) => void;
  const booted = new Promise<void>((resolve, reject) => {
    settle = resolve;
    refuse = reject;
  });
  booted.catch(() => {});

  const pipe = new Duplex({
    highWaterMark: 1 << 16,
    read() {
      stdio.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      forward(chunk, done);
    },
    writev(chunks, done) {
      forward(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), done);
    },
    final(done) {
      stdio.end(done);
    },
    destroy(error, done) {
      inTime();
      wipe();
      refuse(error instanceof MopError ? error : failed("CANCELLED", "the start was given up"));
      stdio.destroy();
      done(error);
    },
  });
  const failed = (code: ErrorName, text: string) => new MopError(code, `${options.name}: ${text}`);
  const fail = (error: MopError) => {
    pipe.destroy(error);
  };
  const inTime = afterReading(options.timeoutMs, () =>
    fail(
      failed(
        "TIMEOUT",
        `${scan.found ? "the core was started, but said nothing" : "the boot command has not started Node"} for ${options.timeoutMs / 1000} s${said()}`,
      ),
    ),
  );

  /** A password that nobody asked for, or will any more. */
  const wipe = () => options.elevation?.secret.fill(0);

  function sendCore(): void {
    sent = true;
    wipe();
    stdio.write(options.core);
    held?.();
  }

  /** Before the marker: is this a question for the password? */
  function listen(chunk: Uint8Array): void {
    if (!questions || scan.found) return;
    const answer = questions.take(chunk);
    if (answer) stdio.write(answer, () => answer.fill(0));
    else if (questions.refusal) fail(failed("BECOME_REFUSED", questions.refusal));
  }

  function forward(bytes: Buffer, done: (error?: Error | null) => void): void {
    if (!sent) held = () => forward(bytes, done);
    else if (stdio.destroyed || stdio.writableEnded) {
      ending();
      done();
    } else {
      stdio.write(bytes, (error) => {
        if (error) ending(error);
        done();
      });
    }
  }

  /** The command has ended, or nobody reads its stdin: says why once stderr's last words, which may come in behind, are here. */
  function ending(cause?: Error): void {
    if (cause instanceof MopError && cause.code !== "CHANNEL_CLOSED") fail(cause);
    else afterReading(LAST_WORDS_MS, () => fail(whyEnded()));
  }

  /** What the host printed, for the end of a sentence. */
  function said(): string {
    const words = [errors.text, scan.found ? "" : scan.noise.toString("utf8")].filter((text) => text.trim());
    return words.length > 0 ? `; the host said ${words.map((text) => quote(text)).join(" and ")}` : "";
  }

  function whyEnded(): MopError {
    // On a terminal both outputs are one
    const text = errors.text + scan.noise.toString("utf8");
    const marker = new RegExp(`mop-boot:${options.nonce}:(?!ask)(\\w+)(?::, ([^;]*))?;`).exec(text);
    const detail = marker?.[2] ? quote(marker[2], 1500) : "nothing";
    switch (marker?.[1]) {
      case "none":
        return failed(
          "NO_NODE",
          `no Node found there; tried ${detail} (mop_node sets the path, or is "push" to bring one)`,
        );
      case "old":
        return failed(
          "NODE_TOO_OLD",
          `Node 16 or newer is needed there; found ${detail} (mop_node sets the path, or is "push" to bring one)`,
        );
      case "corrupt":
        return failed("CORE_CORRUPT", "the core arrived damaged: its SHA-256 is wrong");
    }
    if (started) return failed("LINK_LOST", `the node's process has ended${said()}`);
    if (questions && !scan.found) return failed("BECOME_REFUSED", `becoming another user failed${said()}`);
    if (scan.found) return failed("BOOT_FAILED", `the core ended before its first frame${said()}`);
    return failed("BOOT_FAILED", `the boot command ended before Node ran${said()}`);
  }

  stdio.on("data", (chunk: Buffer) => {
    const rest = scan.take(chunk);
    listen(chunk);
    if (rest && !sent) sendCore();
    if (!rest) {
      if (scan.overrun) fail(failed("BOOT_FAILED", `the host prints without end before Node runs${said()}`));
      return;
    }
    if (rest.length === 0 || pipe.destroyed) return;
    if (!started) {
      started = true;
      inTime();
      settle();
    }
    if (!pipe.push(rest)) stdio.pause();
  });
  stdio.on("end", () => {
    if (started) pipe.push(null);
    else ending();
  });
  stdio.on("error", ending);
  stdio.on("close", () => {
    if (!stdio.readableEnded) ending();
  });

  if (!questions) sendCore();
  return {
    pipe,
    booted,
    stderr(chunk) {
      errors.add(chunk);
      listen(chunk);
      if (!started || !options.onLine || room <= 0) return;
      const parts = (lines + Buffer.from(chunk).toString("utf8")).split("\n");
      lines = parts.pop()!.slice(-1000);
      for (const line of parts) {
        if (!line.trim() || room <= 0) continue;
        // An empty line costs a line too
        room -= Math.min(line.length, 1000) + 16;
        options.onLine(room > 0 ? line.slice(0, 1000) : "(what it says from here on is left out)");
      }
    },
  };
}
