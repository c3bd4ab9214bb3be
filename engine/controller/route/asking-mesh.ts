import { lacksNode } from "../../../relay/mesh/left.js";
import { ReplaceableNode } from "../../../relay/mesh/replaceable.js";
import type { DialingMesh, Hop, NodeHandle } from "../../../relay/mesh/types.js";
import type { UnreachableError } from "../../../relay/mesh/unreachable.js";
import { asMopError } from "../../../transport/errors.js";

/** Milliseconds that the question waits for hosts that are still under way: they may come to the same one. */
const GATHER_MS = 5000;

/** Asks whether these hosts may be brought a Node; the answer holds for the run. */
export type MayBring = (hosts: readonly string[]) => Promise<boolean>;

/** The mesh, with a Node brought to hosts that have none where the operator says so: they are asked once, for all. */
export function askingMesh(mesh: DialingMesh, mayBring: MayBring, gatherMs = GATHER_MS): DialingMesh {
  const asked = new Set<string>();
  /** Not before the answer is yes: whatever is reached while the question stands is brought nothing */
  const allowed = new Set<string>();
  const nodes = new WeakMap<NodeHandle, ReplaceableNode>();
  const underWay = new Set<NodeHandle>();
  let gathered = () => {};
  /** Behind all that follows from the last one's failure: it may be at the question itself */
  const noteArrival = () => setImmediate(() => underWay.size === 0 && gathered());
  const gathering = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, gatherMs);
      gathered = () => {
        clearTimeout(timer);
        resolve();
      };
      noteArrival();
    });
  let answer: Promise<boolean> | undefined;
  const ask = async (host: string): Promise<boolean> => {
    asked.add(host);
    answer ??= gathering().then(() => mayBring([...asked]));
    const yes = await answer;
    if (yes) allowed.add(host);
    return yes;
  };
  const reach = (route: readonly Hop[], again: boolean): NodeHandle =>
    mesh.reach(
      route.map((hop) => (allowed.has(hop.target.name) && hop.node === "" ? { ...hop, bring: true } : hop)),
      again,
    );
  const inner = (node: NodeHandle) => (node instanceof ReplaceableNode ? node.current : node);
  const asking = (to: readonly NodeHandle[]) =>
    to.flatMap((node) => (node instanceof ReplaceableNode ? [node] : []));
  return {
    ...mesh,
    reach(route, again = false) {
      const first = reach(route, again);
      const known = nodes.get(first);
      if (known) return known;
      const tried = new Set<string>();
      underWay.add(first);
      const arrived = () => {
        underWay.delete(first);
        noteArrival();
      };
      first.up.then(arrived, arrived);
      const node = new ReplaceableNode(first, {
        async next(failed, error) {
          if (asMopError(error).code === "CANCELLED") return undefined;
          // What ends with the node says so in its own words: why it could not be reached stands in `up`
          const reason = await failed.up.then(
            () => undefined,
            (why: UnreachableError) => why,
          );
          if (!reason) return undefined;
          const { at } = reason;
          const hop = route.find(({ target }) => target.name === at);
          const may = lacksNode(reason) && hop && !hop.bring && hop.node === "";
          if (!may || tried.has(at) || !(await ask(at))) throw reason;
          tried.add(at);
          return reach(route, true);
        },
        mesh,
      });
      nodes.set(first, node);
      return node;
    },
    offer(blobs, to) {
      for (const node of asking(to)) node.noteOffer(blobs);
      mesh.offer(blobs, to.map(inner));
    },
    push(hashes, to) {
      for (const node of asking(to)) node.notePush(hashes);
      mesh.push(hashes, to.map(inner));
    },
    async ping(node) {
      await node.up;
      return mesh.ping(inner(node));
    },
  };
}
