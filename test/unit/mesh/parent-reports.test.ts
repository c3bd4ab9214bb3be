import { type Duplex, PassThrough } from "node:stream";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createMeshOver } from "../../../relay/mesh/mesh.js";
import type { Hop } from "../../../relay/mesh/types.js";
import { MopError } from "../../../transport/errors.js";
import type { Login, LoginPace, SshSession, Target } from "../../../transport/ssh/types.js";
import type { Value } from "../../../transport/types.js";
import { encodeGone } from "../../../transport/wire/gone.js";
import { encodeProblem, problemValue } from "../../../transport/wire/problem.js";
import { decodeValue, encodeValue } from "../../../transport/wire/value.js";
import { until } from "../../support/alive.js";
import { GOOD_BODIES } from "../../support/frames.js";
import { connection } from "../../support/held-up.js";
import { memoryPipe } from "../../support/memory-pipe.js";
import { nodeInfo } from "../../support/nodes.js";
import { frameOf, RawPeer } from "../../support/raw-peer.js";
import { freshState, settle } from "../../support/session-peer.js";

const hop = (name: string, more: Partial<Hop> = {}): Hop => ({
  target: { name, address: name, port: 22, user: "deploy", connectTimeoutMs: 0 } as Target,
  kind: "relay",
  node: "",
  ...more,
});
const ROUTE = [hop("b1"), hop("b2", { orJump: true }), hop("l1")];
const [B1, B2] = [1, 2];
const noNode = new MopError("NO_NODE", "no Node found there");

/** A mesh whose first bastion says what a test says; the sessions behind it are of no server. */
function mesh(
  route: readonly Hop[] = ROUTE,
  [upper, lower]: readonly [Duplex, Duplex] = memoryPipe(),
  pace: LoginPace = "plain",
) {
  const b1 = new RawPeer(lower);
  const forever = new Promise<never>(() => {});
  const login: Login = async (openPipe, { name }) => {
    const pipe = await openPipe();
    if (name === "l1")
      await new Promise((_resolve, reject) => {
        pipe.once("close", () => reject(new MopError("SSH_DISCONNECTED", "the pipe has ended")));
      });
    return {
      authenticated: Promise.resolve(),
      closed: forever,
      proof: { method: "publickey" },
      handOff: async () => freshState(),
      close() {},
      async exec(command: string) {
        const [, nonce] = /'([0-9a-f]{16})'/.exec(command)!;
        lower.write(`mop-boot:${nonce};`);
        b1.send(frameOf("HELLO", { body: GOOD_BODIES.HELLO }));
        return upper;
      },
    } as unknown as SshSession;
  };
  const made = createMeshOver(
    { login, dialSocket: async () => new PassThrough() as never, core: Buffer.alloc(0) },
    { pace, run: "3f2a", operator: "alice@laptop" },
  );
  const node = made.reach(route);
  for (const promise of [node.up, node.dispatched]) promise.catch(() => {});
  return { mesh: made, b1, node };
}

/** What b1 is asked to connect to. */
const pipesOf = (b1: RawPeer) =>
  b1.of("OPEN").map(({ destination, channel, body }) => {
    const [, args] = decodeValue(body) as [string, { host: string; through?: number }];
    return { destination, channel, host: args.host, through: args.through };
  });

/** What b1 says on the channel that it has its orders for b2 on. */
const reportOf = (b1: RawPeer, body: Value) =>
  frameOf("CONTROL", { source: B1, channel: b1.of("CONTROL")[0]!.channel, body: encodeValue(body) });

/** What b1 says when the node that it started for b2 is over. */
const goneOf = (error: MopError) => frameOf("GONE", { source: B1, body: encodeGone(B2, error) });

describe("a host that has no node but may be a jump", () => {
  it.each([0, 1, 20])(
    "is one for those behind it, though the report of it comes %d turns behind the end of its node",
    async (turns) => {
      const { mesh: made, b1 } = mesh();
      await until("the order", () => b1.of("CONTROL").length > 0);
      await until("the pipe to l1", () => pipesOf(b1).some(({ host }) => host === "l1"));
      const gone = goneOf(noNode);
      const failed = reportOf(b1, { type: "failed", problem: [...problemValue(noNode)], ended: false });
      b1.send(reportOf(b1, { type: "authenticated" }));
      await settle();
      if (turns === 0) b1.send(gone, failed);
      else {
        b1.send(gone);
        for (let turn = 1; turn < turns; turn++) await settle();
        b1.send(failed);
      }
      await until("the pipe through b2", () => pipesOf(b1).some(({ through }) => through === B2));
      expect(pipesOf(b1).at(-1)).toMatchObject({ destination: B1, host: "l1" });
      b1.destroy();
      await made.close();
    },
  );
});

describe("a node whose report can't be read", () => {
  const enter = hop("web", { kind: "command", enter: ["enter", "web"] });
  it.each([
    ["a session that it was handed", [hop("b1"), hop("b2")]],
    ["a command that it was to run", [hop("b1"), enter]],
  ])("is blamed, and not what it says next of the host behind it: %s", async (_of, route) => {
    const { mesh: made, b1, node } = mesh(route);
    await until("the order", () => b1.of("CONTROL").length > 0);
    b1.send(reportOf(b1, { type: "sign", data: "x" }));
    await until("the end of the channel", () => b1.of("RESET").length > 0);
    b1.send(goneOf(new MopError("PROTOCOL", "its parent gave it up")));
    await expect(node.up).rejects.toMatchObject({
      at: "b1",
      code: "PROTOCOL",
      message: expect.stringMatching(
        /^b1: the node on b1 broke the protocol and was cut off \(The report [^(]*\)/,
      ),
    });
    b1.destroy();
    await made.close();
  });
});

describe("a node that says nothing in time of a session that it was handed", () => {
  const b2 = hop("b2");
  afterEach(() => void vi.useRealTimers());
  const limited = { ...b2, target: { ...b2.target, connectTimeoutMs: 60 } };

  it("is told that it is given up: that it ends what it began is not why the host is out", async () => {
    const { mesh: made, b1, node } = mesh([hop("b1"), limited]);
    await until("the end of the channel", () => b1.of("RESET").length > 0);
    b1.send(goneOf(new MopError("CANCELLED", "the pipe was given up")));
    await expect(node.up).rejects.toMatchObject({
      at: "b2",
      code: "CONNECT_TIMEOUT",
      message: "b2: b1 doesn't say within 0.06 s whether b2 took the login",
    });
    b1.destroy();
    await made.close();
  });

  it("has said it where that lies unread, since this process stood still", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { mesh: made, b1, node } = mesh([hop("b1"), limited], await connection());
    while (b1.of("CONTROL").length === 0) await settle();
    await settle();
    b1.send(reportOf(b1, { type: "authenticated" }), reportOf(b1, { type: "up", info: { ...nodeInfo() } }));
    vi.advanceTimersByTime(100);
    expect(await node.up).toMatchObject({ hostname: "testhost" });
    vi.useRealTimers();
    expect(b1.of("RESET")).toEqual([]);
    b1.destroy();
    await made.close();
  });
});

it("a host whose node is gone already is not logged in at once more", async () => {
  const { mesh: made, b1, node } = mesh([hop("b1"), hop("b2")], memoryPipe(), "eager");
  await until("the order", () => b1.of("CONTROL").length > 0);
  const ended = new MopError("SSH_CHANNEL_REFUSED", "the server opens no session: no");
  const { channel } = b1.of("CONTROL")[0]!;
  b1.send(goneOf(ended), frameOf("RESET", { source: B1, channel, body: encodeProblem(ended) }));
  await expect(node.up).rejects.toMatchObject({ at: "b2", code: "SSH_CHANNEL_REFUSED" });
  for (let turn = 0; turn < 20; turn++) await settle();
  expect(pipesOf(b1).map(({ host }) => host)).toEqual(["b2"]);
  b1.destroy();
  await made.close();
});
