import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Children } from "../../../../engine/leaf/process/children.js";
import { bundle } from "../../../support/bundle.js";
import { rejection, tempFolder } from "../../controller/temp-folder.js";

const WAIT = { timeout: 15_000, interval: 20 };

/** Whether a process runs; one that ended and was not yet collected doesn't. */
function lives(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

function started(script: string, signal = new AbortController().signal) {
  const told = { started: [] as number[], ended: [] as number[] };
  const children = new Children({
    childStarted: (pid) => void told.started.push(pid),
    childEnded: (pid) => void told.ended.push(pid),
  });
  let output = "";
  const done = children.run({
    file: "/bin/sh",
    args: ["-c", script],
    signal,
    onOutput: async (_, text) => {
      output += text;
    },
  });
  done.catch(() => undefined);
  const pids = () =>
    vi.waitFor(() => {
      const found = /^(\d+) (\d+)\n/.exec(output);
      if (!found) throw new Error("no pids yet");
      return [Number(found[1]), Number(found[2])] as const;
    }, WAIT);
  return { children, told, done, pids, output: () => output };
}

const ended = (pids: readonly number[]) => vi.waitFor(() => expect(pids.filter(lives)).toEqual([]), WAIT);

/** Says its own pid and that of a process that it started, then waits. */
const FAMILY = "sleep 600 & echo $$ $!; wait";

describe.skipIf(process.platform !== "linux")("a command's processes (told by /proc)", () => {
  test("end with the process that holds Children, though it is killed without a word", async () => {
    const folder = await tempFolder();
    const program = await bundle(fileURLToPath(new URL("holder.ts", import.meta.url)), folder);
    const holder = spawn(process.execPath, [program, FAMILY], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void holder.kill("SIGKILL"));
    let output = "";
    holder.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    await vi.waitFor(() => expect(output).toMatch(/^\d+ \d+\n/), WAIT);
    const pids = output.trim().split(" ").map(Number);
    onTestFinished(() => pids.filter(lives).forEach((pid) => void process.kill(pid, "SIGKILL")));
    expect(pids.filter(lives)).toEqual(pids);
    holder.kill("SIGKILL");
    await ended(pids);
  });

  test("end when the signal is aborted, and its reason is the error", async () => {
    const controller = new AbortController();
    const { done, pids, told } = started(FAMILY, controller.signal);
    const family = await pids();
    controller.abort(new Error("enough"));
    expect((await rejection(done)).message).toBe("enough");
    await ended(family);
    expect(told.ended).toEqual(told.started);
    expect(told.started).toHaveLength(1);
  });

  test("end when the signal is aborted even if they ignore SIGTERM", async () => {
    const controller = new AbortController();
    const { done, pids } = started(`trap '' TERM; ${FAMILY}; sleep 600`, controller.signal);
    const family = await pids();
    controller.abort(new Error("enough"));
    await rejection(done);
    await ended(family);
  });

  test("end by killAll", async () => {
    const { children, done, pids } = started(FAMILY);
    const family = await pids();
    children.killAll();
    expect(await done).toEqual({ rc: -1, signal: "SIGKILL" });
    await ended(family);
  });

  test("in the background may live on after a command that ended by itself, and don't hold it up", async () => {
    const { done, pids } = started("sleep 600 & echo $$ $!");
    expect(await done).toEqual({ rc: 0, signal: null });
    const [, background] = await pids();
    onTestFinished(() => void process.kill(background, "SIGKILL"));
    expect(lives(background)).toBe(true);
  });
});

test("a command has no children but its own, so that it may wait for any", async () => {
  const { done, output } = started("exec perl -e '1 while wait() != -1; print \"no child left\"'");
  expect(await done).toEqual({ rc: 0, signal: null });
  expect(output()).toBe("no child left");
}, 5_000);

test("a command that is killed says by which signal", async () => {
  expect(await started("kill -USR1 $$").done).toEqual({ rc: -1, signal: "SIGUSR1" });
});

test("a command that can't be found ends with 127", async () => {
  const children = new Children({ childStarted: () => undefined, childEnded: () => undefined });
  const signal = new AbortController().signal;
  const exit = await children.run({ file: "/no/such", args: [], signal, onOutput: async () => undefined });
  expect(exit).toEqual({ rc: 127, signal: null });
});

test("letters that are cut in two pieces arrive whole", async () => {
  const { done, output } = started("printf '\\303'; sleep 0.2; printf '\\244'");
  await done;
  expect(output()).toBe("ä");
});

test("a slow reader loses nothing, though the command ended long ago", async () => {
  const children = new Children({ childStarted: () => undefined, childEnded: () => undefined });
  let length = 0;
  await children.run({
    file: "/bin/sh",
    args: ["-c", "head -c 250000 /dev/zero | tr '\\0' x"],
    signal: new AbortController().signal,
    onOutput: async (_, text) => {
      await new Promise((resolve) => setTimeout(resolve, 450));
      length += text.length;
    },
  });
  expect(length).toBe(250_000);
});

test("a leaf that gets no time to run loses nothing of what a command said before its end", async () => {
  const children = new Children({ childStarted: () => undefined, childEnded: () => undefined });
  let length = 0;
  await children.run({
    file: "/bin/sh",
    args: ["-c", "head -c 150000 /dev/zero | tr '\\0' x"],
    signal: new AbortController().signal,
    onOutput: async (_, text) => {
      // The first piece is waited for until the command has ended; timers are what comes next in the loop, and are late.
      if (length === 0) await new Promise((resolve) => setTimeout(setImmediate, 450, resolve));
      else for (const until = performance.now() + 400; performance.now() < until; );
      length += text.length;
    },
  });
  expect(length).toBe(150_000);
});
