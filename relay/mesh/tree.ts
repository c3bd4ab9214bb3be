import { MopError } from "../../transport/errors.js";
import type { NodeId } from "../../transport/types.js";
import { explained, type GrowPort, grow } from "./grow.js";
import { HOPS } from "./hops/table.js";
import { Place, placeKey } from "./place.js";
import type { Hop } from "./types.js";
import { breach, isBreach, UnreachableError } from "./unreachable.js";

/** The places of a mesh: each reached once, found again by its way and its host. */
export interface Tree {
  /** The place at the end of a route; what is missing starts growing. It gets a node, unless it is only `passed`. */
  reach(route: readonly Hop[], again: boolean, passed?: boolean): Place;
  find(id: NodeId): Place | undefined;
  /** Every place that was not lost, parents before their children */
  all(): Place[];
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
    // What fails because of a host before it says so
    let above = place.parent;
    while (above && !above.failure) above = above.parent;
    place.fail(
      above?.failure ??
        (error instanceof UnreachableError
          ? error
          : new UnreachableError(place.name, lost(place.name, explained(place, error)))),
    );
  });

  return {
    reach(route, again, passed = false) {
      let place: Place | undefined;
      route.forEach((stop, index) => {
        const hop = index === route.length - 1 && !passed ? withNode(stop) : stop;
        const { starts } = HOPS[hop.kind];
        const key = placeKey(place, hop, starts);
        const known = places.get(key);
        // One that was reached and then lost is dialled again; one that could not be reached is not
        if (known && !(known.isGone && (known.isUp || again))) {
          place = known;
          return;
        }
        const grown = new Place(key, hop, place, starts === "nothing" ? 0 : ++lastId, starts);
        places.set(key, grown);
        if (grown.id !== 0) byId.set(grown.id, grown);
        void grow(port, grown);
        place = grown;
      });
      if (!place) throw new MopError("BAD_ARGUMENT", "a route needs at least one host");
      return place;
    },
    find: (id) => byId.get(id),
    all: () => [...places.values()].filter((place) => !place.isGone),
    ending() {
      ending = true;
    },
  };
}

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
