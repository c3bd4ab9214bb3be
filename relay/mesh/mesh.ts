import { setMaxListeners } from "node:events";
import { createEndpoint } from "../../transport/endpoint.js";
import { MopError } from "../../transport/errors.js";
import type { Login, Target } from "../../transport/ssh/types.js";
import { coreOf } from "../boot/core.js";
import { createMeshBlobs } from "./blobs.js";
import { type Bringing, createBringing } from "./bringing.js";
import { readCoreBundle } from "./bundles.js";
import { createDoors } from "./doors.js";
import { wayOut } from "./grow.js";
import { isUndecided, jumpsOf, lossesTold } from "./or-jump.js";
import type { Place } from "./place.js";
import { ReplaceableNode } from "./replaceable.js";
import { linkReports, pingRoute } from "./report.js";
import { createRunners } from "./runner.js";
import { createSealing } from "./seal.js";
import { createTree } from "./tree.js";
import type { BlobSource, DialingMesh, Hop, MeshOptions, NodeHandle, OpenPipe } from "./types.js";
import { type DialSocket, type From, openWay } from "./ways.js";
import { runWing } from "./wing.js";

/** Milliseconds that `close` may take. */
const CLOSE_MS = 5000;

export type GrowingMesh = DialingMesh;
export type GrowingHandle = NodeHandle;

/** How the controller gets to a host: the SSH client, or a test's stand-in. */
export interface MeshTransport {
  readonly login: Login;
  readonly dialSocket: DialSocket;
  /** The core as it travels */
  readonly core?: Uint8Array;
}

/** The controller's end of a mesh: grows the tree of nodes as routes are asked for. */
export function createMeshOver(transport: MeshTransport, options: MeshOptions) {
  const endpoint = createEndpoint({ root: true });
  const stopping = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stopping.signal]) : stopping.signal;
  // Every dial listens to it: Node would take many hosts for a leak, and say so to the operator
  setMaxListeners(0, signal);
  const blobs = createMeshBlobs(endpoint);
  const sealFor = createSealing(blobs);
  const doors = createDoors(options.dials);
  const runners = createRunners(blobs);
  let bringing: Promise<Bringing> | undefined;
  const tree = createTree({
    endpoint,
    ...transport,
    core: coreOf(transport.core ?? readCoreBundle()),
    options,
    signal,
    doors,
    plainly: new Set(),
    sealFor,
    bringing() {
      bringing ??= (options.runtimes?.() ?? Promise.resolve({})).then((files) =>
        createBringing(blobs, files, options.keptRuntimesOnly),
      );
      return bringing;
    },
  });
  const handles = new WeakMap<Place, GrowingHandle>();
  const places = new WeakMap<object, Place>();

  function handleOf(place: Place): GrowingHandle {
    const known = handles.get(place);
    if (known) return known;
    const handle: GrowingHandle = {
      id: place.id,
      name: place.name,
      route: place.route,
      dispatched: place.dispatched.promise,
      up: place.up.promise,
      gone: place.gone.promise,
      get jumps() {
        return jumpsOf(place);
      },
      get connectMs() {
        return place.connectMs;
      },
      async call(method, args, callOptions) {
        await place.dispatched.promise;
        return endpoint.call(place.id, method, args, callOptions);
      },
      wing: (wingOptions) => runWing(endpoint, place, wingOptions, { sealFor, runners }),
    };
    handles.set(place, handle);
    places.set(handle, place);
    return handle;
  }

  /** The node at the end of the route as it is to be passed now. */
  function reach(route: readonly Hop[], again: boolean): GrowingHandle {
    const known = tree.instead(route);
    if (known) return reach(known, again);
    const place = tree.reach(route, again);
    const handle = handleOf(place);
    if (!isUndecided(place)) return handle;
    // It isn't known yet whether the hosts on the way have a node. Nothing can have been carried out behind one that has
    // none, since whatever lies there is logged in to by way of its node.
    return new ReplaceableNode(handle, {
      async next(failed) {
        // The one behind the jump minds the hosts on its own way
        if (failed !== handle) return undefined;
        await lossesTold(place);
        const next = tree.instead(route);
        return next && reach(next, false);
      },
      mesh: { offer, push },
    });
  }

  const placeOf = (handle: NodeHandle): Place => {
    if (handle instanceof ReplaceableNode) return placeOf(handle.current);
    const place = places.get(handle);
    if (!place) throw new MopError("BAD_ARGUMENT", `${handle.name} is no node of this mesh`);
    return place;
  };

  let closing: Promise<void> | undefined;
  async function end(): Promise<void> {
    tree.ending();
    const open = tree.all();
    stopping.abort();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
    });
    await Promise.race([Promise.all([endpoint.close(), ...open.map(({ process }) => process?.exit)]), late]);
    clearTimeout(timer);
    tree.release();
    for (const place of open.reverse()) {
      place.ended();
      place.way?.pipe.destroy();
      place.process?.kill();
    }
    await Promise.all(open.map(({ way }) => way?.gone));
  }

  function offer(offered: readonly BlobSource[], to: readonly NodeHandle[]): void {
    for (const node of to) if (node instanceof ReplaceableNode) node.noteOffer(offered);
    blobs.offer(offered, to.map(placeOf));
  }

  function push(hashes: readonly string[], to: readonly NodeHandle[]): void {
    for (const node of to) if (node instanceof ReplaceableNode) node.notePush(hashes);
    runners.push(hashes, to.map(placeOf));
  }

  /** What a host's children are dialled from, once it is known whether a node is there. */
  async function passing(route: readonly Hop[]): Promise<{ from: From; place?: Place }> {
    if (route.length === 0) return { from: await wayOut(undefined) };
    const place = tree.reach(route, false, true);
    try {
      const from = await wayOut(place);
      // Until the login is answered, nobody knows whether the way leads anywhere
      if (place.id !== 0) await place.up.promise;
      return { from, place };
    } catch (error) {
      await lossesTold(place);
      const next = tree.instead(route, true);
      if (next) return passing(next);
      throw error;
    }
  }

  return {
    endpoint,
    reach: (route: readonly Hop[], again = false) => reach(route, again),
    offer,
    push,
    async ping(handle: GrowingHandle) {
      await handle.up;
      return pingRoute(endpoint, placeOf(handle));
    },
    async openPipe(route: readonly Hop[], target: Target, dialling?: () => void): Promise<OpenPipe> {
      const { from, place } = await passing(route);
      const through = from.type === "node" ? { ...from, handsOff: false } : from;
      const { leave } = await doors.enter(place, target, signal);
      dialling?.();
      try {
        const way = await openWay({ endpoint, dialSocket: transport.dialSocket }, through, target, signal);
        way.pipe.once("close", leave);
        return way;
      } catch (error) {
        leave();
        throw error;
      }
    },
    links: () => linkReports(endpoint, tree.all()),
    close() {
      closing ??= end();
      return closing;
    },
  };
}
