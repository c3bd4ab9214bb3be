import { setMaxListeners } from "node:events";
import { createEndpoint } from "../../transport/endpoint.js";
import { MopError } from "../../transport/errors.js";
import type { Login, Target } from "../../transport/ssh/types.js";
import { coreOf } from "../boot/core.js";
import { createMeshBlobs } from "./blobs.js";
import { type Bringing, createBringing } from "./bringing.js";
import { readCoreBundle } from "./core-bundle.js";
import { wayOut } from "./grow.js";
import { createGates } from "./limits.js";
import type { Place } from "./place.js";
import { linkReports, pingRoute } from "./report.js";
import { createTree } from "./tree.js";
import type { BlobSource, DialingMesh, Hop, MeshOptions, NodeHandle, OpenPipe } from "./types.js";
import { type DialSocket, openWay } from "./ways.js";
import { runWing } from "./wing.js";

/** Logins under way at one server: sshd drops connections from the tenth on (MaxStartups 10:30:100). */
const LOGINS_AT_ONCE = 8;
const DIALS_AT_ONCE = 16;
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
  let bringing: Promise<Bringing> | undefined;
  const tree = createTree({
    endpoint,
    ...transport,
    core: coreOf(transport.core ?? readCoreBundle()),
    options,
    signal,
    dials: createGates(options.dials ?? DIALS_AT_ONCE),
    logins: createGates(LOGINS_AT_ONCE),
    plainly: new Set(),
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
      get connectMs() {
        return place.connectMs;
      },
      async call(method, args, callOptions) {
        await place.dispatched.promise;
        return endpoint.call(place.id, method, args, callOptions);
      },
      wing: (wingOptions) => runWing(endpoint, place, wingOptions),
    };
    handles.set(place, handle);
    places.set(handle, place);
    return handle;
  }

  const placeOf = (handle: { readonly name: string }): Place => {
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
    for (const place of open.reverse()) {
      place.ended();
      place.way?.pipe.destroy();
      place.process?.kill();
    }
  }

  return {
    endpoint,
    reach: (route: readonly Hop[], again = false) => handleOf(tree.reach(route, again)),
    offer: (offered: readonly BlobSource[], to: readonly NodeHandle[]) =>
      blobs.offer(offered, to.map(placeOf)),
    push: (hashes: readonly string[], to: readonly NodeHandle[]) => blobs.push(hashes, to.map(placeOf)),
    async ping(handle: GrowingHandle) {
      const place = placeOf(handle);
      await place.up.promise;
      return pingRoute(endpoint, place);
    },
    async openPipe(route: readonly Hop[], target: Target): Promise<OpenPipe> {
      const place = route.length > 0 ? tree.reach(route, false, true) : undefined;
      const from = await wayOut(place);
      // Until the login is answered, nobody knows whether the way leads anywhere
      if (place && place.id !== 0) await place.up.promise;
      const through = from.type === "node" ? { ...from, handsOff: false } : from;
      return openWay({ endpoint, dialSocket: transport.dialSocket }, through, target, signal);
    },
    links: () => linkReports(endpoint, tree.all()),
    close() {
      closing ??= end();
      return closing;
    },
  };
}
