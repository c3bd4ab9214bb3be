import type { Endpoint } from "../../transport/types.js";
import { count, table } from "./read-orders.js";

/** What a node tells of itself and its links when asked from above. */
export function serveReports(endpoint: Endpoint): void {
  endpoint.handle("stats", () => ({
    links: endpoint.counters().map((counter) => ({ ...counter })),
    rss: process.memoryUsage().rss,
  }));
  endpoint.handle("ping", (args) => endpoint.ping(count(table(args, "ping").child, "child", 1, 0xffffffff)));
}
