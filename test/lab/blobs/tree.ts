import { createHash, randomBytes } from "node:crypto";
import net from "node:net";
import { createBlobs } from "../../../relay/blobs/blobs.js";
import { MAX_BLOB, type NodeBlobs, type OfferSet } from "../../../relay/blobs/types.js";
import { createEndpoint, type NodeEndpoint } from "../../../transport/endpoint.js";
import type { Endpoint, NodeId } from "../../../transport/types.js";
import { nodeInfo, parentHello } from "../../support/nodes.js";

export interface TestNode {
  readonly endpoint: Endpoint;
  readonly blobs: NodeBlobs;
}
type JoinedNode = TestNode & { readonly endpoint: NodeEndpoint };

export const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** A controller with nodes below it in this process, their links TCP on loopback. */
export class TestTree {
  readonly controller: TestNode;
  /** What the controller can read, and how often it did */
  readonly content = new Map<string, Uint8Array>();
  readonly reads = new Map<string, number>();
  readonly #sockets: net.Socket[] = [];
  readonly #capacity: number;
  #sets = 0;

  constructor(capacity = 2 * MAX_BLOB) {
    this.#capacity = capacity;
    const endpoint = createEndpoint({ root: true });
    const blobs = createBlobs(endpoint, {
      capacity: MAX_BLOB,
      source: (hash) => {
        const bytes = this.content.get(hash);
        return (
          bytes &&
          (async () => {
            this.reads.set(hash, (this.reads.get(hash) ?? 0) + 1);
            return bytes;
          })
        );
      },
    });
    this.controller = { endpoint, blobs };
  }

  announce(id: NodeId, parent: TestNode): void {
    this.controller.endpoint.addNode(id, parent.endpoint.id);
  }

  /** Attaches a node; it says hello in a moment. */
  async join(id: NodeId, parent: TestNode, make = this.#make): Promise<JoinedNode> {
    const [near, far] = await socketPair();
    this.#sockets.push(near, far);
    const node = make(far, this.#capacity);
    await parent.endpoint.attachChild(id, near, parentHello(id));
    await node.endpoint.hello;
    return node;
  }

  /** Resolves when the offers made so far have reached a node: a call goes the same way behind them. */
  async offered(id: NodeId): Promise<void> {
    await this.controller.endpoint.call(id, "nothing", null).catch(() => {});
  }

  readonly #make = (parent: net.Socket, capacity: number): JoinedNode => {
    const endpoint = createEndpoint({ parent, info: nodeInfo() });
    return { endpoint, blobs: createBlobs(endpoint, { capacity }) };
  };

  /** Random content in pieces as one set that the controller can read. */
  set(bytes: number, piece: number): OfferSet {
    const blobs = new Map<string, number>();
    for (let at = 0; at < bytes; at += piece) {
      const content = randomBytes(Math.min(piece, bytes - at));
      const hash = hashOf(content);
      this.content.set(hash, content);
      blobs.set(hash, content.length);
    }
    return { id: ++this.#sets, blobs };
  }

  /** Bytes that the controller sent over the link to its child. */
  sent(child: NodeId): number {
    return this.controller.endpoint.counters().find((link) => link.child === child)?.sent ?? 0;
  }

  async close(): Promise<void> {
    await this.controller.endpoint.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

async function socketPair(): Promise<[net.Socket, net.Socket]> {
  const server = net.createServer({ noDelay: true }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const accepted = new Promise<net.Socket>((resolve) => server.once("connection", resolve));
  const near = net.connect({
    port: (server.address() as net.AddressInfo).port,
    host: "127.0.0.1",
    noDelay: true,
  });
  const far = await accepted;
  server.close();
  for (const socket of [near, far]) socket.on("error", () => {});
  return [near, far];
}
