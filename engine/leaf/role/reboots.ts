import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import os from "node:os";
import { MAX_EVENT } from "../../../relay/wing.js";
import type { Value } from "../../../transport/types.js";
import { encodeValue } from "../../../transport/wire/value.js";
import type { RoleOrder } from "../../vocabulary/order.js";
import type { Result } from "../../vocabulary/resources.js";
import { Refusal, ResourceError } from "../errors.js";

/** A reboot that the role waits for: the run ends here, and goes on when the host is back. */
export interface RebootRequest {
  readonly done: readonly Value[];
  readonly boot: string;
  readonly waitMs: number;
  /** Run by /bin/sh once the last word is on its way */
  readonly command: string;
}

/** Milliseconds between the leaf's last word and the command that takes the host down. */
const LAST_WORD_MS = 1000;

/**
 * What a role did so far, so that it can go on behind a reboot: its `main` runs from its beginning again, and each
 * resource that ran before gives its result of then instead of running.
 */
export class Reboots {
  readonly #done: Value[] = [];
  readonly #earlier: readonly Value[];
  readonly #boot: string | undefined;
  #resumed = false;
  #ask: (request: RebootRequest) => void = () => undefined;
  /** Resolves when a resource asks for a reboot. */
  readonly requested: Promise<RebootRequest>;

  constructor(resume?: RoleOrder["resume"]) {
    this.#earlier = resume?.done ?? [];
    this.#boot = resume?.boot;
    this.requested = new Promise((resolve) => {
      this.#ask = resolve;
    });
  }

  /** What the next resource gave before the reboot, or undefined: it has to run. Throws what it threw then. */
  replay(type: string, name: string): Result | undefined {
    const entry = this.#earlier[this.#done.length] as Recorded | undefined;
    if (!entry) return undefined;
    this.#done.push(entry as unknown as Value);
    if (entry.type !== type || entry.name !== name)
      throw new Refusal(
        `behind the reboot the role called ${type} ${name} where it called ${entry.type} ${entry.name} before it; ` +
          "what a role does before a reboot must not depend on what changes meanwhile",
      );
    if (entry.thrown) throw new ResourceError(type, name, entry.result);
    return entry.result;
  }

  record(type: string, name: string, result: Result, thrown: boolean): void {
    this.#done.push({ type, name, result: result as unknown as Value, thrown });
  }

  /** Whether the host went down and came back for the resource that asks. Throws a Refusal when it did not go down. */
  get resumed(): boolean {
    if (this.#boot === undefined || this.#resumed || this.#done.length < this.#earlier.length) return false;
    this.#resumed = true;
    if (this.#boot === bootIdentity())
      throw new Refusal("the host can be reached again, but was not restarted");
    return true;
  }

  /** Never resolves: the run ends. Throws a Refusal when what was done can't be kept over a reboot. */
  request(waitMs: number, command: string): Promise<never> {
    const bytes = encodeValue(this.#done).length;
    if (bytes > MAX_EVENT - 4096)
      throw new Refusal(
        `what the role's resources gave so far (${bytes} bytes) can't be kept over a reboot; reboot earlier, or in a role of its own`,
      );
    this.#ask({ done: this.#done, boot: bootIdentity(), waitMs, command });
    return new Promise(() => undefined);
  }
}

interface Recorded {
  readonly type: string;
  readonly name: string;
  readonly result: Result;
  readonly thrown: boolean;
}

/** Takes the host down a moment later, by a process that outlives this one. */
export function restartSoon(command: string): void {
  const child = spawn("/bin/sh", ["-c", `sleep ${LAST_WORD_MS / 1000}; ${command}`], {
    detached: true,
    stdio: "ignore",
    cwd: "/",
  });
  child.on("error", () => undefined);
  child.unref();
}

/** Another text after each start of the host; of a container, whose kernel goes on, after each of its own. */
export function bootIdentity(): string {
  const read = (file: string) => {
    try {
      return readFileSync(file, "utf8").trim();
    } catch {
      return "";
    }
  };
  const id = read("/proc/sys/kernel/random/boot_id");
  // Field 22 of the first process, behind its name, which may hold anything: when it was started
  const started = read("/proc/1/stat").split(") ").pop()?.split(" ")[19] ?? "";
  return id === "" ? String(Math.round((Date.now() / 1000 - os.uptime()) / 60)) : `${id} ${started}`;
}
