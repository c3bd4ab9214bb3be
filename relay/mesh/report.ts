import { MopError } from "../../transport/errors.js";
import type { Endpoint, Value } from "../../transport/types.js";
import type { Place } from "./place.js";
import type { LinkReport } from "./types.js";

export const CONTROLLER = "controller";

/** Milliseconds that a node may take to answer a question about itself. */
const ANSWER_MS = 5000;

/** Round trips along a place's route; hops without a node of ours count to the next one that has it. */
export async function pingRoute(
  endpoint: Endpoint,
  place: Place,
): Promise<{ from: string; to: string; ms: number }[]> {
  const hops: { from: string; to: string; ms: number }[] = [];
  const nodes: Place[] = [];
  for (let at: Place | undefined = place; at; at = at.parent) if (at.id !== 0) nodes.unshift(at);
  let above: Place | undefined;
  let aboveMs = 0;
  for (const node of nodes) {
    let ms: number;
    if (node.linkTo !== 0) {
      const answer = await endpoint.call(
        node.linkTo,
        "ping",
        { child: node.id },
        { timeoutMs: ANSWER_MS * 2 },
      );
      if (!isAmount(answer))
        throw new MopError("PROTOCOL", `${above?.name ?? CONTROLLER}: the answer to a ping is no number`);
      ms = answer;
      aboveMs += ms;
    } else {
      // A session that stays with us passes the hosts before it: what they take is not this hop's
      const whole = await endpoint.ping(node.id);
      ms = Math.max(0, whole - aboveMs);
      aboveMs = whole;
    }
    // Between two accounts of one host there is nothing to measure
    if (!node.isWithin) hops.push({ from: above?.name ?? CONTROLLER, to: node.name, ms });
    above = node;
  }
  return hops;
}

const isAmount = (value: Value | undefined): value is number =>
  typeof value === "number" && value >= 0 && Number.isFinite(value);
const amount = (value: Value | undefined) => (isAmount(value) ? value : 0);

/** What a node says of its links; it may say anything. */
function linksOf(stats: Value): readonly { readonly [key: string]: Value | undefined }[] {
  if (typeof stats !== "object" || stats === null || !("links" in stats)) return [];
  const { links } = stats as { readonly links: Value };
  return Array.isArray(links) ? links.filter((link) => typeof link === "object" && link !== null) : [];
}

/** Bytes of every link of the tree, the controller's own with SSH's part. */
export async function linkReports(endpoint: Endpoint, places: readonly Place[]): Promise<LinkReport[]> {
  const byId = new Map(places.filter(({ id }) => id !== 0).map((place) => [place.id, place]));
  const frames = new Map(endpoint.counters().map((counter) => [counter.child, counter]));
  const carriers = new Set(places.filter(({ linkTo }) => linkTo !== 0).map(({ linkTo }) => linkTo));
  const theirs = await Promise.all(
    [...carriers].map(async (id): Promise<LinkReport[]> => {
      const stats = await endpoint.call(id, "stats", null, { timeoutMs: ANSWER_MS }).catch(() => null);
      return linksOf(stats).flatMap((link) => {
        const child = byId.get(amount(link.child));
        if (child?.linkTo !== id || child.isWithin) return [];
        return [
          {
            from: byId.get(id)?.name ?? CONTROLLER,
            to: child.name,
            sent: amount(link.sent),
            received: amount(link.received),
          },
        ];
      });
    }),
  );
  // After the answers, which are part of it
  const own: LinkReport[] = [];
  for (const place of places) {
    if (place.linkTo !== 0) continue;
    const bytes = place.way?.bytes() ?? frames.get(place.id);
    if (bytes)
      own.push({
        from: place.parent?.name ?? CONTROLLER,
        to: place.name,
        sent: bytes.sent,
        received: bytes.received,
      });
  }
  return [...own, ...theirs.flat()];
}
