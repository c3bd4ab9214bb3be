import { asMopError, MopError } from "../../transport/errors.js";
import type { Channel, Endpoint, NodeId, Value } from "../../transport/types.js";
import { Batch } from "./batches.js";
import { Flights } from "./flight.js";
import {
  BATCH,
  decodeLack,
  decodeOffer,
  decodeWant,
  encodeLack,
  encodeOffer,
  encodeWant,
} from "./messages.js";
import { BlobStore } from "./store.js";
import { receiveBlobs, sendBlob, unpack } from "./stream.js";
import type { BlobsOptions, NodeBlobs, OfferSet } from "./types.js";

interface Waiter {
  resolve(bytes: Uint8Array): void;
  reject(error: MopError): void;
}

/**
 * A node's part in passing blobs on: offers and announcements come down as OFFER, questions go up as WANT, refusals
 * come down as LACK, and the bytes on one `blob` channel for each link. Call before the first frame can come in.
 */
export function createBlobs(endpoint: Endpoint, { capacity, source }: BlobsOptions): NodeBlobs {
  const store = new BlobStore(capacity);
  const sets = new Map<number, OfferSet["blobs"]>();
  const waiting = new Map<string, Waiter[]>();
  const channels = new Map<NodeId, Channel>();
  const sending = new Set<NodeId>();
  const lacks = new Map<NodeId, Batch<readonly [hash: string, error: MopError]>>();
  let parent: NodeId = 0;
  let received = 0;

  const wants = new Batch<string>(BATCH, (hashes) => {
    endpoint.post(parent, "want", encodeWant({ received, hashes }));
  });
  const flights: Flights = new Flights({
    has: (hash) => store.has(hash) || source?.(hash) !== undefined,
    ask: (hash) => wants.add(hash),
    ready: (child) => void serve(child),
    lack(child, hash, error) {
      let batch = lacks.get(child);
      if (!batch) {
        batch = new Batch(BATCH, (refused) => refuse(child, refused));
        lacks.set(child, batch);
      }
      batch.add([hash, error]);
    },
    landed(hash, error) {
      for (const { resolve, reject } of waiting.get(hash) ?? [])
        if (error) reject(named(hash, error));
        else resolve(content(hash));
      waiting.delete(hash);
    },
    pin: (hash, by) => store.pin(hash, by),
  });

  function spread(set: OfferSet, to: readonly NodeId[], push: boolean): void {
    const below = new Map<NodeId, NodeId[]>();
    for (const node of to) {
      const child = endpoint.childToward(node);
      if (node === endpoint.id) flights.allow(set.blobs);
      else if (child !== undefined) below.set(child, [...(below.get(child) ?? []), node]);
    }
    for (const [child, nodes] of below) {
      const blobs = flights.allow(set.blobs, child) ? set.blobs : NONE;
      if (!post(child, "offer", encodeOffer({ id: set.id, push, to: nodes, blobs }))) continue;
      if (push) flights.push(set.blobs, child);
    }
  }

  /** A child for which more waits than may, or that is gone, is over. */
  function post(child: NodeId, type: "offer" | "lack", body: Value): boolean {
    try {
      endpoint.post(child, type, body);
      return true;
    } catch (error) {
      endpoint.dropChild(child, asMopError(error));
      return false;
    }
  }

  function refuse(child: NodeId, refused: readonly (readonly [string, MopError])[]): void {
    const causes = new Map<string, { error: MopError; hashes: string[] }>();
    for (const [hash, error] of refused) {
      const key = error.code + error.message;
      const cause = causes.get(key) ?? { error, hashes: [] };
      causes.set(key, cause);
      cause.hashes.push(hash);
    }
    for (const lack of causes.values()) if (!post(child, "lack", encodeLack(lack))) return;
  }

  /** Sends a child what is to be sent to it, one blob at a time. */
  async function serve(child: NodeId): Promise<void> {
    if (sending.has(child)) return;
    sending.add(child);
    try {
      for (let hash = flights.next(child); hash !== undefined; hash = flights.next(child)) {
        let bytes = store.get(hash);
        const read = source?.(hash);
        if (!bytes && read) {
          const found = await read().catch((error: unknown) => asMopError(error, "BLOB_UNAVAILABLE"));
          if (found instanceof MopError) {
            flights.lost(child, found);
            continue;
          }
          bytes = found;
          store.put(hash, bytes);
        }
        if (!bytes) {
          flights.evicted(child);
          continue;
        }
        let channel = channels.get(child);
        if (!channel) {
          channel = endpoint.open(child, "blob", null);
          channels.set(child, channel);
          void channel.closed.then((error) => flights.broken(child, error ?? closed()));
        }
        flights.sending(child);
        await sendBlob(channel, hash, bytes);
      }
    } catch (error) {
      flights.broken(child, asMopError(error));
    }
    sending.delete(child);
  }

  function take(hash: string, what: Uint8Array | MopError): void {
    received++;
    wants.delete(hash);
    if (what instanceof MopError) {
      flights.failed(hash, what, true);
      return;
    }
    store.put(hash, what);
    flights.arrived(hash);
  }

  function sizeOf(hash: string): number | undefined {
    for (const blobs of sets.values()) {
      const size = blobs.get(hash);
      if (size !== undefined) return size;
    }
    return undefined;
  }

  /** Of a blob that is here. */
  const content = (hash: string) => unpack(store.get(hash)!, sizeOf(hash)!);

  function get(hash: string): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      try {
        if (flights.need(hash)) resolve(content(hash));
        else waiting.set(hash, [...(waiting.get(hash) ?? []), { resolve, reject }]);
      } catch (error) {
        reject(named(hash, asMopError(error)));
      }
    });
  }

  endpoint.onPost("offer", (from, body) => {
    parent = from;
    const { id, push, to, blobs: defined } = decodeOffer(body);
    const blobs = sets.get(id) ?? defined;
    sets.set(id, blobs);
    if (push) flights.announced(blobs);
    spread({ id, blobs }, to, push);
  });
  endpoint.onPost("want", (child, body) => {
    const { received: ended, hashes } = decodeWant(body);
    flights.want(child, ended, hashes);
  });
  endpoint.onPost("lack", (_parent, body) => {
    const { hashes, error } = decodeLack(body);
    for (const hash of hashes) flights.failed(hash, error);
  });
  endpoint.serve("blob", (channel) => {
    if (channel.peer !== parent) {
      channel.reset("NOT_ALLOWED", "Blobs come from the parent only");
      return;
    }
    receiveBlobs(channel, sizeOf, take).catch((error: unknown) => {
      const broken = asMopError(error);
      channel.reset(broken.code, broken.message);
      flights.failAll(broken);
    });
  });
  endpoint.onGone((node) => {
    flights.gone(node);
    channels.delete(node);
    lacks.delete(node);
  });
  void endpoint.parentGone.then((error) => flights.failAll(error ?? closed()));

  return {
    spread,
    get,
    prefetch: async (hashes) => {
      await Promise.allSettled(hashes.map(get));
    },
    get stored() {
      return store.bytes;
    },
  };
}

const NONE: OfferSet["blobs"] = new Map();

const closed = () => new MopError("LINK_LOST", "the link to the parent is gone");

const named = (hash: string, { code, message }: MopError) =>
  new MopError(code, `blob ${hash.slice(0, 12)}: ${message}`);
