import type { Duplex } from "node:stream";

/** "linux-x64", "linux-arm64-musl": Node's names of system and processor, and the C library where it is not glibc. */
export type Platform = string;

/** A Node that can be brought to hosts of its platform. */
export interface Runtime {
  /** SHA-256 of the whole file, hex */
  readonly hash: string;
  readonly size: number;
  /** Least glibc that it runs with, "2.28"; empty: none is needed */
  readonly glibc: string;
  /** SHA-256 of its pieces in order, each but the last of PIECE bytes */
  readonly pieces: readonly string[];
}

export type Runtimes = Readonly<Record<Platform, Runtime>>;

/** Bytes of a piece: each is a blob of its own, unpacked and sent in one go. */
export const PIECE = 4 * 1024 * 1024;

/** Hosts that are brought a runtime at the same time: each takes a piece or two of memory. */
export const TURNS = 4;

/** A command that runs on a host, over a session or as a process. */
export interface Command {
  readonly pipe: Duplex;
  /** Resolves when it has ended */
  readonly exit: Promise<unknown>;
  onStderr(take: (chunk: Buffer) => void): void;
}

/** Runs the boot command; `edit` changes each text that it is made of. */
export type Run = (edit: (text: string) => string) => Command;

/** What bringing a runtime needs of whoever starts the node. */
export interface BringPort {
  /** The boot command as it runs */
  readonly first: Command;
  /** Runs it once more */
  readonly run: (...of: Parameters<Run>) => Command | Promise<Command>;
  /** What messages call the host */
  readonly name: string;
  readonly nonce: string;
  /** stdin is free from the start: the core waits until Node runs (as another account) */
  readonly held: boolean;
  /** Gives a piece of a runtime */
  readonly piece: (hash: string) => Promise<Uint8Array>;
  /** Resolves when it is our turn, with what gives it back: pieces lie in memory, and many hosts come at once */
  readonly turn: () => Promise<() => void>;
  /** Compresses a piece where the host can unpack it; absent: what is sent stays in a fast network */
  readonly pack?: (hash: string, piece: Uint8Array) => Promise<Uint8Array>;
}

/** The module that a node loads for it, with what it needs to know in it. */
export interface BringModule {
  bring(port: Omit<BringPort, "turn" | "pack">): Command;
}
