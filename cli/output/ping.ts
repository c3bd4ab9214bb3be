import type { PingEvent } from "../../engine/controller/run/ping-hosts.js";
import type { RouteEvent } from "../../engine/controller/run/ping-routes.js";
import { escapeLine } from "./escape.js";
import type { Style } from "./style.js";

/** "l1  b1 181 ms > b2 0.4 ms > l1 0.5 ms"; a hop that is passed as a jump has no node to answer, and is named alone. */
export function pingLine(event: PingEvent | RouteEvent, style: Style): string {
  const host = escapeLine(event.host);
  const { hops = [] } = event;
  const way = event.route
    .map((name) => {
      const hop = hops.find(({ to }) => to === name);
      return hop ? `${escapeLine(name)} ${style.dim(formatRoundTrip(hop.ms))}` : escapeLine(name);
    })
    .join(" > ");
  if (event.event === "ping") return `  ${style.green(host)}  ${way}`;
  if (!event.possible) {
    const colour = event.planned ? style.red : style.dim;
    return `  ${colour(host)}  ${way}: ${style.dim(escapeLine(event.reason ?? ""))}`;
  }
  return `  ${style.green(host)}  ${way}${event.planned ? "" : style.dim(" (also possible: see mop_optional)")}`;
}

const formatRoundTrip = (ms: number): string => (ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`);
