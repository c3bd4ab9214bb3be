import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { coreOf } from "../../../relay/boot/core.js";
import { attemptNode } from "../../../relay/mesh/attempt.js";
import type { AuditEntry } from "../../../relay/mesh/audit.js";
import { Place } from "../../../relay/mesh/place.js";
import type { Attempts, StartPort } from "../../../relay/mesh/start.js";
import type { Hop } from "../../../relay/mesh/types.js";
import { readAdoptOrder } from "../../../relay/node/read-orders.js";
import { createEndpoint } from "../../../transport/endpoint.js";
import { MopError } from "../../../transport/errors.js";
import type { SessionState } from "../../../transport/session-state.js";
import type { Login, SshSession, Target } from "../../../transport/ssh/types.js";
import type { Channel, Value } from "../../../transport/types.js";
import { encodeValue } from "../../../transport/wire/value.js";
import { memoryPipe } from "../../support/memory-pipe.js";
import { nodeInfo, parentHello, servingNode } from "../../support/nodes.js";
import { freshState } from "../../support/session-peer.js";

const hop = (name: string): Hop => ({
  target: { name, address: "192.0.2.1", port: 22, user: "deploy", connectTimeoutMs: 0 } as Target,
  kind: "relay",
  node: "",
});

/** A controller that hands a session to the relay b1, which does with it what a test says. */
async function handOver(relayDoes: (channel: Channel, order: Buffer) => void, more: Partial<Hop> = {}) {
  const endpoint = createEndpoint({ root: true });
  const [upper, lower] = memoryPipe();
  const relay = servingNode(lower);
  relay.serve("pipe", async (channel) => {
    try {
      for await (const { type, body } of channel.receive())
        if (type === "control") relayDoes(channel, Buffer.from(body));
    } catch {
      // The controller has given it up.
    }
  });
  await endpoint.attachChild(1, upper, parentHello(1, { heartbeatMs: 3_000_000, deadAfterMs: 3_600_000 }));
  const state = freshState();
  const audit: AuditEntry[] = [];
  const login: Login = async (openPipe) => {
    await openPipe();
    return {
      handOff: async () => state,
      proof: { method: "publickey", key: "SHA256:x" },
    } as unknown as SshSession;
  };
  const port = {
    endpoint,
    login,
    core: coreOf(Buffer.from("core")),
    options: {
      operator: "alice@laptop",
      run: "3f2a",
      pace: "eager",
      onAudit: (entry: AuditEntry) => audit.push(entry),
    },
    signal: new AbortController().signal,
  } as unknown as StartPort;
  const b1 = new Place("b1", hop("b1"), undefined, 1, "node");
  const l1 = new Place("l1", { ...hop("l1"), ...more }, b1, 2, "node");
  const attempts: Attempts = {
    replay: undefined,
    attaching: undefined,
    announced: false,
    dialled: () => {},
  };
  const outcome = attemptNode(
    port,
    l1,
    { type: "node", id: 1, name: "b1", handsOff: true },
    "eager",
    attempts,
  ).then(
    (info) => info,
    ({ code, message }) => ({ code, message }),
  );
  return { outcome, state, audit, close: () => endpoint.close() };
}

const secretsOf = ({ outbound, inbound }: SessionState) =>
  [outbound, inbound].flatMap(({ key, iv }) => [Buffer.from(key), Buffer.from(iv)]);
const say = (channel: Channel, report: Value) => void channel.control(encodeValue(report)).catch(() => {});

describe("a session that is handed over", () => {
  test("comes up with what its relay says of the node, and its keys are overwritten here", async () => {
    let order: Buffer = Buffer.alloc(0);
    const { outcome, state, close } = await handOver((channel, body) => {
      order = body;
      say(channel, { type: "authenticated" });
      say(channel, { type: "up", info: { ...nodeInfo() } });
    });
    expect(await outcome).toEqual(nodeInfo());
    const { session } = readAdoptOrder(order);
    expect(secretsOf(session).some((secret) => secret.some((byte) => byte !== 0))).toBe(true);
    for (const secret of secretsOf(state)) expect(secret.every((byte) => byte === 0)).toBe(true);
    await close();
  });

  test("takes the password along that a command printed, for becoming another account", async () => {
    let order: Buffer = Buffer.alloc(0);
    const become = { method: "sudo", user: "root", password: async () => "s3cret" } as const;
    const { outcome, audit, close } = await handOver(
      (channel, body) => {
        order = body;
        say(channel, { type: "up", info: { ...nodeInfo() } });
      },
      { become },
    );
    await outcome;
    await close();
    const { elevation, command } = readAdoptOrder(order);
    expect(Buffer.from(elevation!.secret).toString()).toBe("s3cret");
    expect(command).not.toContain("s3cret");
    expect(JSON.stringify(audit)).not.toContain("s3cret");
  });

  test("isn't begun where that command fails", async () => {
    const password = () => Promise.reject(new MopError("PASSWORD_COMMAND", "the command failed"));
    const { outcome, audit, close } = await handOver(() => {}, {
      become: { method: "sudo", user: "root", password },
    });
    expect(await outcome).toMatchObject({ code: "PASSWORD_COMMAND" });
    expect(audit).toEqual([]);
    await close();
  });

  test.each<[string, Value]>([
    ["nothing", null],
    ["a number", 7],
    ["another type", { type: "down" }],
    ["no node", { type: "up" }],
    ["a failure without a reason", { type: "failed" }],
    ["a node with a name of 60 kB", { type: "up", info: { ...nodeInfo(), user: "x".repeat(60_000) } }],
    ["a node with a text for its key", { type: "up", info: { ...nodeInfo(), key: "k".repeat(32) } }],
    ["a node with a list for its name", { type: "up", info: { ...nodeInfo(), hostname: ["x"] } }],
  ])("fails with PROTOCOL when its relay reports %s", async (_what, report) => {
    const { outcome, close } = await handOver((channel) => say(channel, report));
    expect(await outcome).toMatchObject({ code: expect.stringMatching(/^(PROTOCOL|VERSION)$/) });
    await close();
  });

  test("ends at its relay where no node came up and nobody passes the host", async () => {
    let ended: Promise<MopError | undefined> | undefined;
    const { outcome, close } = await handOver((channel) => {
      ended = channel.closed;
      say(channel, { type: "authenticated" });
      say(channel, { type: "failed", problem: [96, "no Node found there"] });
    });
    expect(await outcome).toMatchObject({ code: "NO_NODE", message: "no Node found there" });
    expect(await ended).toMatchObject({ code: "CANCELLED" });
    await close();
  });

  const L1 = { host: "l1", account: "deploy", address: "192.0.2.1:22", route: ["b1", "l1"] };
  const LOGIN = { ...L1, event: "login", method: "publickey", key: "SHA256:x", pace: "eager" };
  const HANDED = { ...L1, event: "hand-off", to: "b1" };

  test.each<[string, (channel: Channel) => void, string, string]>([
    ["let in", (channel) => say(channel, { type: "authenticated" }), "ok", "ok"],
    ["refused", (channel) => channel.reset("AUTH_REFUSED", "no"), "no", "ok"],
    ["not taken over", (channel) => channel.reset("HANDOFF_REFUSED", "nonsense"), "nonsense", "nonsense"],
  ])("stands in the audit with its login, once, when it is %s", async (_how, relayDoes, login, handed) => {
    const { outcome, audit, close } = await handOver((channel) => {
      relayDoes(channel);
      if (login === "ok") say(channel, { type: "up", info: { ...nodeInfo() } });
    });
    await outcome;
    await close();
    expect(audit).toEqual([
      { ...LOGIN, outcome: login },
      { ...HANDED, outcome: handed },
    ]);
  });

  describe("to a relay that never says what became of it", () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
    afterEach(() => void vi.useRealTimers());

    test("is given up in the time for a login where even that is not told", async () => {
      let asked: () => void;
      const order = new Promise<void>((resolve) => {
        asked = resolve;
      });
      const target = { ...hop("l1").target, connectTimeoutMs: 5000 };
      const { outcome, audit, close } = await handOver(() => asked(), { target });
      await order;
      await new Promise((resolve) => setImmediate(resolve));
      vi.advanceTimersByTime(5100);
      expect(await outcome).toMatchObject({
        code: "CONNECT_TIMEOUT",
        message: "b1 doesn't say within 5 s whether l1 took the login",
      });
      expect(audit.map(({ outcome }) => outcome)).not.toContain("ok");
      vi.useRealTimers();
      await close();
    });

    test("is given up after the boot's limit and 15 s", async () => {
      let asked: () => void;
      const order = new Promise<void>((resolve) => {
        asked = resolve;
      });
      const { outcome, close } = await handOver(() => asked());
      await order;
      await new Promise((resolve) => setImmediate(resolve));
      vi.advanceTimersByTime(44_000);
      const early = await Promise.race([
        outcome,
        new Promise((resolve) => setImmediate(() => resolve("waits"))),
      ]);
      expect(early).toBe("waits");
      vi.advanceTimersByTime(2000);
      expect(await outcome).toMatchObject({ code: "TIMEOUT", message: expect.stringContaining("b1") });
      vi.useRealTimers();
      await close();
    });
  });
});
