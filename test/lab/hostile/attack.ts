/** What a hostile node does: a filter of what its real core reads and writes. It travels into the double's process. */
import type { Frame } from "../../../transport/wire/frame.js";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What the double was told of the world; its operator knows all that an attacker could hope to find out. */
export interface Knowledge {
  /** Address of a host that this run has no business with */
  readonly vault: Address;
  /** sshd of the honest site's leaf */
  readonly neighbour: Address;
  /** Its own sshd */
  readonly self: Address;
  /** SHA-256 of a blob that only the honest site is offered */
  readonly blob: string;
  /** A file that a command on the controller would make */
  readonly canary: string;
  /** A file that the role of its site's host makes at once, where it takes some time */
  readonly started: string;
}

/** The double as an attack sees it. */
export interface Double {
  readonly knows: Knowledge;
  /** Own id, once the parent's hello came */
  readonly id: number;
  /** Numbers of the pipes that the controller ordered, in order; with the id of the node that is to come of it, once handed over */
  readonly pipes: ReadonlyMap<number, { child: number | undefined }>;
  /** Where the last pipe was to lead */
  readonly ordered: Address | undefined;
  /** Number of the channel that blobs come by */
  readonly blobs: ReadonlySet<number>;
  /** Number of the wing's channel, and the node that it goes to */
  readonly wings: ReadonlyMap<number, number>;
  /** To the parent, past the core */
  send(...frames: readonly Frame[]): void;
  bytes(bytes: Uint8Array): void;
  /** Resolves when the parent takes more. */
  drained(): Promise<void>;
  /** Notes that the attack took place: a case in which it didn't proves nothing. */
  did(what: string): void;
}

/** Where a plaintext packet of a key exchange, or what is behind it, stands. */
export type Part = "identification" | "kexinit" | "share" | "newkeys" | "sealed";

export interface Piece {
  readonly part: Part;
  readonly bytes: Buffer;
  /** How manieth piece of its part */
  readonly index: number;
}

/** One TCP connection of a pipe, between the core and the server that was ordered. */
export interface Tap {
  toServer(bytes: Uint8Array): void;
  toClient(bytes: Uint8Array): void;
  /** Ends it for the client. */
  cut(): void;
}

export interface Attack {
  /** Its core finds that every blob is what its hash says */
  readonly believes?: true;
  /** Instead of the address that was ordered */
  dial?(double: Double, ordered: Address): Address;
  /** What goes on to the client of what the server said; undefined: the same. The tap may be used at any time */
  fromServer?(double: Double, piece: Piece, tap: Tap): readonly Uint8Array[] | undefined;
  fromClient?(double: Double, piece: Piece, tap: Tap): readonly Uint8Array[] | undefined;
  /** What the parent gets of a frame of the core's or of a node below; undefined: the same */
  up?(double: Double, frame: Frame): readonly Frame[] | undefined;
  /** What the core gets of a frame from above */
  down?(double: Double, frame: Frame): readonly Frame[] | undefined;
  /** The parent's hello came, ours is on its way */
  begin?(double: Double): void;
}
