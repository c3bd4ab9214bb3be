import net, { type AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { serveBlobs } from "../../../relay/node/blobs.js";
import { createParts } from "../../../relay/node/part.js";
import { servePipes } from "../../../relay/node/pipes.js";
import { CHANNEL_OPEN_FAILURE, message, USERAUTH_SUCCESS } from "../../../relay/session/messages.js";
import { createPacketWriter } from "../../../relay/session/packets.js";
import { encodeSessionState } from "../../../relay/session/state.js";
import { createEndpoint } from "../../../transport/endpoint.js";
import { ErrorCode } from "../../../transport/errors.js";
import type { Endpoint, NodeId, Value } from "../../../transport/types.js";
import { decodeValue, encodeValue } from "../../../transport/wire/value.js";
import { until } from "../../support/alive.js";
import { GOOD_BODIES } from "../../support/frames.js";
import { bytesInUse } from "../../support/memory.js";
import { memoryPipe } from "../../support/memory-pipe.js";
import { nodeInfo, parentHello } from "../../support/nodes.js";
import { frameOf, RawPeer } from "../../support/raw-peer.js";
import { mutate, seeded } from "../../support/session-mutations.js";
import { copyOf, freshState, SUITES } from "../../support/session-peer.js";

/** A server of this machine that counts who comes; to what they say it answers nothing that a session's keys would fit. */
function createTarget(answer = (socket: net.Socket): unknown => socket.write(Buffer.alloc(64, 0x41))) {
  const sockets = new Set<net.Socket>();
  let count = 0;
  const server = net.createServer((socket) => {
    count++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    socket.on("data", () => answer(socket));
  });
  return {
    sockets,
    get count() {
      return count;
    },
    get port() {
      return (server.address() as AddressInfo).port;
    },
    listen: () => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function servePipesOf(endpoint: Endpoint): void {
  const blobs = serveBlobs(endpoint);
  servePipes({
    endpoint,
    blobs,
    load: createParts(blobs),
    core: Buffer.from("core"),
    links: new Map(),
    sessions: new Map(),
    onLine: () => {},
  });
}

/** The relay's serving of pipes behind a controller, both in this process; the TCP connections are real. */
async function createRelay() {
  const controller = createEndpoint({ root: true });
  const [upper, lower] = memoryPipe();
  const relay = createEndpoint({ parent: lower, info: nodeInfo() });
  servePipesOf(relay);
  await controller.attachChild(1, upper, parentHello(1));
  return { controller, relay };
}

const CHILD = {
  name: "l1",
  nonce: "5eed",
  title: "mop relay of alice@laptop, run 3f2a",
  run: "3f2a",
  heartbeatMs: 2000,
  deadAfterMs: 8000,
  bootTimeoutMs: 30_000,
};

describe("orders to a node that opens pipes", () => {
  const target = createTarget();
  let controller: Endpoint;
  let relay: Endpoint;
  beforeAll(() => target.listen());
  beforeEach(async () => {
    ({ controller, relay } = await createRelay());
    return () => controller.close();
  });
  afterAll(() => target.close());

  const order = () => ({ host: "127.0.0.1", port: target.port, connectTimeoutMs: 5000, keep: true });
  const adoption = (id: number, suite = SUITES[0]!) => ({
    type: "adopt",
    session: encodeSessionState(freshState(suite, { consumed: 0 })),
    command: "true",
    child: { ...CHILD, id },
  });

  it("open no connection for 2,000 that are damaged, but to the address that they name", async () => {
    const random = seeded(99);
    const before = target.count;
    let expected = 0;
    for (let i = 0; i < 2000; i++) {
      const damaged = mutate(order(), random) as { host?: Value; port?: Value; connectTimeoutMs?: Value };
      // Another good address is another order, not a damaged one.
      if (typeof damaged.host === "string" && damaged.host !== "127.0.0.1")
        damaged.host = `${damaged.host} x`;
      if (Number.isInteger(damaged.port) && damaged.port !== target.port) damaged.port = 65_536;
      const good =
        damaged.host === "127.0.0.1" &&
        damaged.port === target.port &&
        Number.isInteger(damaged.connectTimeoutMs) &&
        (damaged.connectTimeoutMs as number) >= 0 &&
        (damaged.connectTimeoutMs as number) < 2 ** 31;
      const channel = controller.open(1, "pipe", damaged as Value);
      if (good) {
        expected++;
        await channel.write(Buffer.from("x"));
        await until("the connection", () => target.count === before + expected);
        channel.reset("CANCELLED");
      } else expect(await channel.closed, JSON.stringify(damaged)).toMatchObject({ code: "BAD_ARGUMENT" });
    }
    expect(target.count - before).toBe(expected);
    expect(expected).toBeGreaterThan(50);
    expect(expected).toBeLessThan(1500);
    await until("the ends", () => target.sockets.size === 0);
  });

  it("open no connection through a session that the node doesn't carry", async () => {
    const before = target.count;
    for (const through of [1, 7, -1, "1"]) {
      const channel = controller.open(1, "pipe", { ...order(), through });
      expect(await channel.closed).toMatchObject({ code: "BAD_ARGUMENT" });
    }
    expect(target.count).toBe(before);
  });

  it("end their pipe, and open no other, when 10,000 hand-offs on them are damaged; the memory stays flat", {
    timeout: 120_000,
  }, async () => {
    const random = seeded(8308);
    const before = target.count;
    const codes = new Map<string, number>();
    let memory = 0;
    const one = async (i: number) => {
      const id = i + 10;
      controller.addNode(id, 1);
      const channel = controller.open(1, "pipe", order());
      const good = adoption(id, SUITES[i % SUITES.length]!);
      const session = mutate(good.session, random);
      const damaged = random.int(4) > 0 ? { ...good, session } : mutate(good as Value, random);
      // A good order for another node would be the controller's own mistake.
      const { child } = damaged as { child?: { id?: unknown } };
      if (typeof child?.id === "number") child.id = id;
      // Encoded, then cut or with a bit turned: what comes need not even be a value.
      const body = encodeValue(damaged);
      const kind = random.int(8);
      if (kind === 0) body[random.int(body.length)]! ^= 1 << random.int(8);
      await channel.control(kind === 1 ? body.subarray(0, random.int(body.length)) : body);
      // If it was taken at all, no key fits what the server says.
      const error = await channel.closed;
      controller.dropChild(id, error!);
      codes.set(error?.code ?? "none", (codes.get(error?.code ?? "none") ?? 0) + 1);
    };
    for (let i = 0; i < 10_000; i += 20) {
      if (i === 2000) memory = bytesInUse();
      await Promise.all(Array.from({ length: 20 }, (_, row) => one(i + row)));
    }
    await until("the ends", () => target.sockets.size === 0);
    // One connection an order; what was damaged within the hand-off opened none.
    expect(target.count - before).toBeLessThanOrEqual(10_000);
    for (const code of codes.keys()) expect(Object.keys(ErrorCode)).toContain(code);
    expect(codes.get("HANDOFF_REFUSED")).toBeGreaterThan(2000);
    expect(codes.get("INTERNAL")).toBeUndefined();
    expect(bytesInUse() - memory).toBeLessThan(10e6);
    expect(await controller.open(1, "nothing", null).closed).toMatchObject({ code: "UNKNOWN_METHOD" });
  });

  it("are refused a second hand-off on the same pipe, and one with more than came", async () => {
    controller.addNode(3, 1);
    const twice = controller.open(1, "pipe", order());
    await twice.control(encodeValue(adoption(3)));
    await twice.control(encodeValue(adoption(4)));
    expect(await twice.closed).toMatchObject({ code: "HANDOFF_REFUSED" });
    const ahead = controller.open(1, "pipe", order());
    const { session, ...rest } = adoption(5);
    await ahead.control(encodeValue({ ...rest, session: { ...(session as object), consumed: 1 } }));
    expect(await ahead.closed).toMatchObject({ code: "HANDOFF_REFUSED" });
    const unkept = controller.open(1, "pipe", { ...order(), keep: false });
    await unkept.control(encodeValue(adoption(6)));
    expect(await unkept.closed).toMatchObject({ code: "HANDOFF_REFUSED" });
    await until("the ends", () => target.sockets.size === 0);
  });

  it("end at once with what is wrong when the server has left before the session comes", async () => {
    controller.addNode(7, 1);
    const pipe = controller.open(1, "pipe", order());
    await until("the connection", () => target.sockets.size > 0);
    for (const socket of target.sockets) socket.end();
    let over = false;
    void (async () => {
      for await (const _ of pipe.receive());
      over = true;
    })().catch(() => {});
    await until("the end of what the server says", () => over);
    await pipe.control(encodeValue(adoption(7)));
    const late = new Promise((resolve) => setTimeout(() => resolve("nothing"), 3000));
    expect(await Promise.race([pipe.closed, late])).toMatchObject({ code: "SSH_DISCONNECTED" });
  });

  it("tell that the server let us in, and that the session has ended, when it refuses the channel in the same breath", async () => {
    const { rekey } = freshState();
    const state = freshState(SUITES[0], {
      consumed: 0,
      phase: "authenticating",
      rekey: { ...rekey, serverIdent: Buffer.from("SSH-2.0-OpenSSH_9.2p1") },
    });
    const writer = createPacketWriter(copyOf(state.inbound));
    // As OpenSSH does with MaxSessions 0, which then ends the session for what was sent ahead to the channel
    const answers = [message(USERAUTH_SUCCESS), message(CHANNEL_OPEN_FAILURE, 0, 1, "open failed", "")];
    const burst = Buffer.concat(answers.flatMap((payload) => writer.seal(payload)));
    let said = false;
    const server = createTarget((socket) => {
      if (!said) socket.write(burst);
      said = true;
    });
    await server.listen();
    controller.addNode(8, 1);
    const pipe = controller.open(1, "pipe", { ...order(), port: server.port });
    await pipe.control(encodeValue({ ...adoption(8), session: encodeSessionState(state) }));
    const reports: Value[] = [];
    const reading = (async () => {
      for await (const { type, body } of pipe.receive())
        if (type === "control") reports.push(decodeValue(body));
    })();
    await expect(reading).rejects.toMatchObject({ code: "SSH_CHANNEL_REFUSED" });
    expect(reports).toEqual([
      { type: "authenticated" },
      {
        type: "failed",
        ended: true,
        problem: [ErrorCode.SSH_CHANNEL_REFUSED, "l1: the server opens no session: open failed"],
      },
    ]);
    await until("the end", () => server.sockets.size === 0);
    await server.close();
  });

  it.each<[string, { source: NodeId; destination: NodeId }]>([
    ["in its own name to its parent", { source: 2, destination: 1 }],
    ["in its parent's name", { source: 1, destination: 1 }],
    ["in the controller's name", { source: 0, destination: 1 }],
    ["in its own name to its sibling", { source: 2, destination: 3 }],
    ["in the controller's name to its sibling", { source: 0, destination: 3 }],
    ["to the controller", { source: 2, destination: 0 }],
  ])("cost a child its link and open no connection when they come from it %s", async (_what, addresses) => {
    const before = target.count;
    const [upper, lower] = memoryPipe();
    const child = new RawPeer(lower);
    child.send(frameOf("HELLO", { body: GOOD_BODIES.HELLO! }));
    const [upper3, lower3] = memoryPipe();
    const sibling = createEndpoint({ parent: lower3, info: nodeInfo() });
    servePipesOf(sibling);
    controller.addNode(2, 1);
    controller.addNode(3, 1);
    // A pipe of the controller's, whose number the child may guess
    const pipe = controller.open(1, "pipe", order());
    await pipe.write(Buffer.from("x"));
    await until("the pipe", () => target.count === before + 1);
    await Promise.all([
      relay.attachChild(2, upper, parentHello(2)),
      relay.attachChild(3, upper3, parentHello(3)),
    ]);
    const lost: NodeId[] = [];
    controller.onGone((id) => lost.push(id));
    child.send(frameOf("OPEN", { ...addresses, channel: 7, body: encodeValue(["pipe", order()]) }));
    expect(await child.goodbye()).toMatch(/^(NOT_ALLOWED|BAD_SOURCE)$/);
    await until("the child's end", () => lost.length > 0);
    expect(lost).toEqual([2]);
    await pipe.write(Buffer.from("still there"));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(target.count).toBe(before + 1);
    pipe.reset("CANCELLED");
  });

  it("can't be given by a child through a pipe of the controller's that it writes to", async () => {
    const before = target.count;
    const [upper, lower] = memoryPipe();
    const child = new RawPeer(lower);
    child.send(frameOf("HELLO", { body: GOOD_BODIES.HELLO! }));
    controller.addNode(2, 1);
    const pipe = controller.open(1, "pipe", order());
    await pipe.write(Buffer.from("x"));
    await until("the pipe", () => target.count === before + 1);
    await relay.attachChild(2, upper, parentHello(2));
    const body = encodeValue(adoption(9));
    for (let channel = 0; channel < 8; channel++)
      child.send(frameOf("CONTROL", { source: 2, destination: 1, channel, body }));
    child.send(frameOf("PING", { body: Buffer.alloc(4) }));
    await child.first("PONG");
    const state = await Promise.race([
      pipe.closed,
      new Promise((resolve) => setTimeout(() => resolve("open"), 50)),
    ]);
    expect(state).toBe("open");
    pipe.reset("CANCELLED");
  });
});
