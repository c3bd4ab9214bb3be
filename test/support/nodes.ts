import type { Duplex } from "node:stream";
import { createEndpoint, type NodeEndpoint } from "../../transport/endpoint.js";
import type { NodeId, NodeInfo, ParentHello } from "../../transport/types.js";
import { PROTOCOL_VERSION } from "../../transport/wire/constants.js";

export const nodeInfo = (): NodeInfo => ({
  protocol: PROTOCOL_VERSION,
  runtime: process.version,
  platform: process.platform,
  arch: process.arch,
  pid: process.pid,
  uid: process.getuid?.() ?? -1,
  user: "tester",
  hostname: "testhost",
  key: Buffer.alloc(32, 7),
});

export const parentHello = (id: NodeId, timing: Partial<ParentHello> = {}): ParentHello => ({
  protocol: PROTOCOL_VERSION,
  id,
  run: "test",
  heartbeatMs: 2000,
  deadAfterMs: 8000,
  ...timing,
});

/** The far end of a pair as the conformance cases expect it: methods and channel kinds that they use. */
export function servingNode(parent: Duplex): NodeEndpoint {
  const node = createEndpoint({ parent, info: nodeInfo() });
  node.handle("echo", (args) => args);
  node.handle("fail", () => {
    throw new Error("it went wrong");
  });
  node.handle(
    "wait",
    (_args, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          aborted++;
          reject(signal.reason);
        });
      }),
  );
  let aborted = 0;
  node.handle("aborted", () => aborted);
  node.serve("echo", async (channel) => {
    try {
      for await (const item of channel.receive())
        await (item.type === "data" ? channel.write(item.body) : channel.control(item.body));
      channel.end();
    } catch {
      // The other side reset it or is gone.
    }
  });
  node.serve("count", async (channel) => {
    let bytes = 0;
    try {
      for await (const item of channel.receive()) bytes += item.body.length;
      await channel.write(Buffer.from(String(bytes)));
      channel.end();
    } catch {
      // As above.
    }
  });
  node.serve("source", async (channel, args) => {
    const left = { bytes: Number(args) };
    try {
      while (left.bytes > 0) {
        const size = Math.min(left.bytes, 50_000);
        left.bytes -= size;
        await channel.write(Buffer.alloc(size, left.bytes & 0xff));
      }
      channel.end();
    } catch {
      // As above.
    }
  });
  node.serve("unread", () => {});
  node.serve("refuse", (channel) => channel.reset("AUTH_REFUSED", "not with this key"));
  return node;
}
