import { describe, expect, test } from "vitest";
import { MopError } from "../../../transport/errors.js";
import { until } from "../../support/alive.js";
import { local } from "./mesh.js";
import { wingLab } from "./support.js";

const lab = wingLab();
const failure = (result: Promise<Uint8Array>) =>
  result.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("a role that goes wrong", () => {
  test.each([
    ["throws", `throw new Error("it went wrong\\nat length");`, "The role failed: it went wrong"],
    [
      "throws later",
      `setTimeout(() => { throw new TypeError("no such thing"); }, 5);`,
      "The role failed: no such thing",
    ],
    ["throws no Error", "setTimeout(() => { throw 7; }, 5);", "The role failed: 7"],
    ["ends its process", "process.exit(3);", "The role ended without a result, with status 3"],
    [
      "comes to nothing",
      `host.signal.addEventListener("abort", () => {});`,
      "The role ended without a result, with status 0",
    ],
    [
      "reports too much at once",
      "await host.emit(Buffer.alloc((1 << 20) + 1)); setInterval(() => {}, 1000);",
      "1048577 bytes at once",
    ],
  ])(
    "that %s fails with WING_FAILED and one sentence, and its node lives on",
    async (_how, body, sentence) => {
      const { node, events, result } = lab.run(`await host.emit(Buffer.from([1]));${body}`);
      const error = await failure(result);
      expect(error).toMatchObject({ code: "WING_FAILED", message: expect.stringContaining(sentence) });
      expect((error as Error).message).not.toContain("\n");
      // What it said before arrived
      expect(events).toEqual([1]);
      expect(await node.call("stats", null)).toMatchObject({ rss: expect.any(Number) });
    },
  );

  test("that needs too much memory fails with OUT_OF_MEMORY, and its node lives on", async () => {
    const { node, result } = lab.run(
      "const all = []; for (;;) all.push(new Array(1000).fill(all.length + 0.5));",
      {
        memoryMb: 32,
      },
    );
    expect(await failure(result)).toMatchObject({ code: "OUT_OF_MEMORY" });
    expect(await node.call("stats", null)).toMatchObject({ rss: expect.any(Number) });
  });

  test("that can't be parsed fails with WING_FAILED", async () => {
    expect(await failure(lab.run("][").result)).toMatchObject({ code: "WING_FAILED" });
  });

  test("whose entry was not offered fails with BLOB_NOT_OFFERED", async () => {
    const node = lab.mesh().reach([local]);
    const result = node.wing({ entry: "0".repeat(64), order: Buffer.of(1), onEvent: () => {} });
    expect(await failure(result)).toMatchObject({ code: "BLOB_NOT_OFFERED" });
  });

  test("gets the code of a blob that can't be had", async () => {
    const { result } = lab.run(
      `host.blob("0".repeat(64)).catch((error) => host.done(Buffer.from(error.code)));`,
    );
    expect(Buffer.from(await result).toString()).toBe("BLOB_NOT_OFFERED");
  });
});

describe("a controller that wants no more", () => {
  test("ends a role that loops forever in 3 s, and heartbeats go on while it loops", async () => {
    const stop = new AbortController();
    const { mesh, node, events, result } = lab.run("await host.emit(Buffer.from([1])); for (;;);", {
      signal: stop.signal,
      mesh: { heartbeatMs: 100 },
    });
    await until("the loop", () => events.length === 1);
    const received = () => mesh.endpoint.counters()[0]!.received;
    for (let beat = 0; beat < 15; beat++) {
      const before = received();
      await until("a heartbeat", () => received() > before);
    }
    expect(await node.call("stats", null)).toMatchObject({ rss: expect.any(Number) });
    const aborted = performance.now();
    stop.abort();
    expect(await failure(result)).toMatchObject({ code: "CANCELLED" });
    // And a little for a busy machine
    expect(performance.now() - aborted).toBeLessThan(3000 + 2000);
    expect(await node.call("stats", null)).toMatchObject({ rss: expect.any(Number) });
  });

  test("lets a role end by itself, and takes its last events", async () => {
    const stop = new AbortController();
    const { events, result } = lab.run(
      `host.signal.addEventListener("abort", async () => { await host.emit(Buffer.from([2])); host.done(Buffer.from([3])); });
       await host.emit(Buffer.from([1]));
       setInterval(() => {}, 1000);`,
      { signal: stop.signal },
    );
    await until("the role", () => events.length === 1);
    stop.abort(new MopError("TIMEOUT", "the run took too long"));
    expect(await failure(result)).toMatchObject({ code: "TIMEOUT" });
    expect(events).toEqual([1, 2]);
  });

  test("may have changed its mind before it began", async () => {
    const { result } = lab.run("host.done(Buffer.from([1]));", { signal: AbortSignal.abort() });
    expect(await failure(result)).toMatchObject({ code: "CANCELLED" });
  });

  test("gets its own error back when an event can't be taken, and no event after it", async () => {
    let taken = 0;
    const { result } = lab.run(
      `for (let n = 0; n < 20 && !host.signal.aborted; n++) { await host.emit(Buffer.from([n])); await new Promise((r) => setTimeout(r, 5)); }
       host.done(Buffer.from([1]));`,
      {
        onEvent: () => {
          if (++taken === 3) throw new MopError("BAD_ARGUMENT", "what is that");
        },
      },
    );
    expect(await failure(result)).toMatchObject({ code: "BAD_ARGUMENT", message: "what is that" });
    expect(taken).toBe(3);
  });

  test("is not held by an event that it never takes", async () => {
    const stop = new AbortController();
    let taken = 0;
    const { result } = lab.run("await host.emit(Buffer.from([1])); for (;;);", {
      signal: stop.signal,
      onEvent: () => {
        taken++;
        return new Promise(() => {});
      },
    });
    await until("the event", () => taken === 1);
    stop.abort();
    expect(await failure(result)).toMatchObject({ code: "CANCELLED" });
  });

  test("learns that the node was lost, and which", async () => {
    const { node, events, result } = lab.run(
      "await host.emit(Buffer.from([1])); setInterval(() => {}, 1000);",
    );
    await until("the role", () => events.length === 1);
    process.kill((await node.up).pid, "SIGKILL");
    expect(await failure(result)).toMatchObject({
      code: expect.stringMatching(/^(LINK_LOST|NODE_GONE)$/),
      at: "here",
      message: expect.stringMatching(/^here: the node on here is lost \(/),
    });
  });
});
