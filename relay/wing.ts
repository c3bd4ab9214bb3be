/**
 * The border between the relay program and the leaf's wing: messages between a node's main thread and the worker
 * that runs a role, so that heartbeats go on while a role computes. The wing's entry is a CommonJS module loaded
 * by hash; it exports `start(host: WingHost): void`.
 */

/** Most bytes of one event, and of the result. */
export const MAX_EVENT = 1 << 20;

export interface WingHost {
  /** CommonJS source of the wing's entry, for processes of its own that run it too */
  readonly source: Uint8Array;
  /** The order's bytes, as the controller wrote them */
  readonly order: Uint8Array;
  /** What the wing before this one on the node left to it; undefined: nothing */
  readonly kept: unknown;
  /** Leaves something that can be cloned to the next wing on this node: in its memory, nowhere else. */
  keep(value: unknown): void;
  /**
   * Sends one event (an encoded Value, at most MAX_EVENT bytes). Events get sequence numbers and arrive each once,
   * in order. Resolves when the window has room for the next; await it.
   */
  emit(event: Uint8Array): Promise<void>;
  /** The bytes of a blob that was offered to this host; rejects with an Error whose `code` is an ErrorName. */
  blob(hash: string): Promise<Uint8Array>;
  /** Asks for blobs in one batch ahead of their use; resolves when all are here, never rejects. */
  prefetch(hashes: readonly string[]): Promise<void>;
  /** Aborted when the controller cancels, or the link went. The wing kills its children and ends within 2 s. */
  readonly signal: AbortSignal;
  /** Process groups that must not outlive the node: told when started and when ended. */
  childStarted(pid: number): void;
  childEnded(pid: number): void;
  /** The run is over. The last call; `result` is an encoded Value, at most MAX_EVENT bytes. */
  done(result: Uint8Array): void;
}

export interface WingModule {
  start(host: WingHost): void;
}
