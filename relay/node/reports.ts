import type { Endpoint, NodeId } from "../../transport/types.js";
import type { LinkBytes } from "./join.js";
import { count, table } from "./read-orders.js";

/** What a node tells of itself and its links when asked from above; bytes are those of the sockets, SSH's included. */
export function serveReports(endpoint: Endpoint, links: ReadonlyMap<NodeId, LinkBytes>): void {
  endpoint.handle("stats", () => ({
    links: endpoint.counters().map(({ child, sent, received }) => {
      const socket = links.get(child);
      return { child, sent: socket?.bytesWritten ?? sent, received: socket?.bytesRead ?? received };
    }),
    rss: process.memoryUsage().rss,
  }));
  endpoint.handle("ping", (args) => endpoint.ping(count(table(args, "ping").child, "child", 1, 0xffffffff)));
}
