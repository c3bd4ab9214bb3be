import { MopError } from "../../transport/errors.js";
import type { NodeId } from "../../transport/types.js";
import { explained, type GrowPort, grow } from "./grow.js";
import { placesOf } from "./hops/become.js";
import { HOPS } from "./hops/table.js";
import { isNoNode } from "./left.js";
import { lossAbove } from "./loss.js";
import { Place, placeKey } from "./place.js";
import type { Hop } from "./types.js";
import { breach, isBreach, UnreachableError } from "./unreachable.js";

/** The places of a mesh: each reached once, found again by its way and its host. */
export interface Tree {
  /** The place at the end of a route; what is missing starts growing. It gets a node, unless it is only `passed`. */
  reach(route: readonly Hop[], again: boolean, passed?: boolean): Place;
  /** The route as a place's failure leaves it: with a jump where no node could be had; undefined: nothing changes */
  instead(route: readonly Hop[], passed?: boolean): readonly Hop[] | undefined;
  /** Every place that was not lost, parents before their children */
  all(): Place[];
  /** Ends the logins that nobody went on with */
  release(): void;
  /** From here on the end of a node is a clean one. */
  ending(): void;
}

export function createTree(port: GrowPort): Tree {
  const places = new Map<string, Place>();
  const byId = new Map<NodeId, Place>();
  let lastId = 0;
  let ending = false;

  port.endpoint.onGone((id, error) => {
    const place = byId.get(id);
    if (!place) return;
    byId.delete(id);
    if (ending) {
      place.ended();
      return;
    }
    const reason =
      error instanceof UnreachableError
        ? error
        : (place.blamed ?? new UnreachableError(place.name, lost(place.name, explained(place, error))));
    // What fails because of a host before it says so; a jump has no node of which more could be said
    const above = lossAbove(place);
    const isJump = above?.at.starts === "nothing";
    place.fail(isJump ? new UnreachableError(above.at.name, reason.error) : (above?.failure ?? reason));
  });

  return {
    reach(route, again, passed = false) {
      let place: Place | undefined;
      const stops = placesOf(
        route.map((stop, index) => (index === route.length - 1 && !passed ? withNode(stop) : stop)),
      );
      for (const [index, hop] of stops.entries()) {
        const { starts } = HOPS[hop.kind];
        const key = placeKey(place, hop, starts);
        const known = places.get(key);
        const mayJump = isPassed(stops, index, passed) && hop.orJump === true;
        // One that was reached and then lost is dialled again; one that could not be reached is not, but where it was to have
        // a node for itself and may now do without
        const missed = mayJump && known?.mayJump === false && known.failure && isNoNode(known.failure);
        if (known && !(known.isGone && (known.isUp || again || missed))) {
          known.mayJump ||= mayJump;
          place = known;
          continue;
        }
        const left = starts === "nothing" ? places.get(placeKey(place, hop, "relay"))?.left : undefined;
        const grown = new Place(key, hop, place, starts === "nothing" ? 0 : ++lastId, starts, left);
        grown.mayJump = mayJump;
        places.set(key, grown);
        if (grown.id !== 0) byId.set(grown.id, grown);
        void grow(port, grown);
        place = grown;
      }
      if (!place) throw new MopError("BAD_ARGUMENT", "a route needs at least one host");
      return place;
    },
    instead(route, passed = false) {
      let place: Place | undefined;
      for (const [index, hop] of route.entries()) {
        const known = places.get(placeKey(place, hop, HOPS[hop.kind].starts));
        if (!known) return undefined;
        if (known.left && known.isGone && hop.orJump && isPassed(route, index, passed))
          return route.map((stop, at) => (at === index ? { ...stop, kind: "jump" } : stop));
        place = known;
      }
      return undefined;
    },
    all: () => [...places.values()].filter((place) => !place.isGone),
    release() {
      for (const { left } of places.values()) left?.release();
    },
    ending() {
      ending = true;
    },
  };
}

/** Whether hosts behind it are dialled from there; a command that leads into the next one needs a node there. */
const isPassed = (route: readonly Hop[], index: number, passed: boolean): boolean => {
  const next = route[index + 1];
  return next ? next.kind !== "command" : passed;
};

/** The end of a route always gets a node. */
const withNode = (hop: Hop): Hop => (HOPS[hop.kind].starts === "nothing" ? { ...hop, kind: "relay" } : hop);

/** What ended a node, told of its host: a link says no more than that it is over, or which rule was broken. */
function lost(name: string, error: MopError): MopError {
  if (isBreach(error)) return breach(name, error);
  const { cause } = error;
  if (cause instanceof MopError && cause.code === "SSH_PROTOCOL") return cause;
  if (error.code !== "LINK_LOST" && error.code !== "NODE_GONE") return error;
  const how = [`${name}: `, "The link broke: "]
    .reduce((text, start) => (text.startsWith(start) ? text.slice(start.length) : text), error.message)
    .replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase());
  const text =
    `the node on ${name} is lost (${how}): it was killed, or its host or the way there is down; what it did last is ` +
    "not known, a new run finds out and does the rest";
  return new MopError(error.code, text, { cause: error });
}
