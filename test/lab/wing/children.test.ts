import { existsSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { until } from "../../support/alive.js";
import { wingLab } from "./support.js";

const lab = wingLab();

/** A wing with a child in a process group of its own, which has a child too; says the pids, and hangs. */
const withChildren = (then: string) => `
  const { spawn } = require("node:child_process");
  const child = spawn("/bin/sh", ["-c", "trap '' TERM; sleep 600 & echo $!; wait; wait"], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  host.childStarted(child.pid);
  child.stdout.once("data", async (below) => {
    await host.emit(Buffer.concat([Buffer.from([0x82]), ...[child.pid, Number(below)].map((n) => Buffer.from([0x1a, n >>> 24, n >>> 16, n >>> 8, n]))]));
    ${then}
  });`;

/** Neither there nor a zombie that waits to be buried */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

describe.skipIf(!existsSync("/proc/self/status"))("processes that a role started (needs /proc)", () => {
  const started: number[] = [];
  afterEach(() => {
    for (const pid of started.splice(0).filter(runs)) process.kill(pid, "SIGKILL");
  });
  const begun = async (events: unknown[]) => {
    await until("the children", () => events.length > 0);
    const pids = events[0] as number[];
    started.push(...pids);
    expect(pids.every(runs)).toBe(true);
    return pids;
  };
  const ended = (pids: readonly number[]) => until("the children's end", () => !pids.some(runs), 10_000);

  test("end when the controller cancels, though the role hangs in a loop", async () => {
    const stop = new AbortController();
    const { node, events, result } = lab.run(withChildren("for (;;);"), { signal: stop.signal });
    const pids = await begun(events);
    stop.abort();
    await expect(result).rejects.toMatchObject({ code: "CANCELLED" });
    // A node that gets no time may be given up before it has sent SIGKILL
    await ended(pids);
    expect(await node.call("stats", null)).toMatchObject({ rss: expect.any(Number) });
  });

  test("end when the role dies", async () => {
    const { events, result } = lab.run(withChildren(`throw new Error("no");`));
    await expect(result).rejects.toMatchObject({ code: "WING_FAILED" });
    await ended(await begunAfter(events));
  });

  test("end when the role said its last word before they did", async () => {
    const { events, result } = lab.run(withChildren("host.done(Buffer.from([1]));"));
    await result;
    await ended(await begunAfter(events));
  });

  test("end with the mesh", async () => {
    const { mesh, events, result } = lab.run(withChildren("for (;;);"));
    const pids = await begun(events);
    await mesh.close();
    await expect(result).rejects.toThrow();
    await ended(pids);
  });

  test("end when the link is silent", async () => {
    const { node, events, result } = lab.run(withChildren("for (;;);"), {
      mesh: { heartbeatMs: 200, deadAfterMs: 3000 },
    });
    const pids = await begun(events);
    const { pid } = await node.up;
    // A black hole: neither side hears of the other until it counts it for dead
    process.kill(pid, "SIGSTOP");
    await expect(result).rejects.toMatchObject({ code: "LINK_LOST" });
    process.kill(pid, "SIGCONT");
    await ended([...pids, pid]);
  });

  test("end when the node is told to end", async () => {
    const { node, events, result } = lab.run(withChildren("for (;;);"));
    const pids = await begun(events);
    process.kill((await node.up).pid, "SIGTERM");
    await expect(result).rejects.toThrow();
    await ended(pids);
  });

  test("end when the controller is killed", async () => {
    const controller = await lab.controller(withChildren("for (;;);"));
    started.push(...controller.pids, controller.node);
    expect(controller.pids.every(runs)).toBe(true);
    controller.process.kill("SIGKILL");
    await ended([...controller.pids, controller.node]);
  });

  async function begunAfter(events: unknown[]): Promise<number[]> {
    const pids = events[0] as number[];
    started.push(...pids);
    expect(pids).toHaveLength(2);
    return pids;
  }
});
