import { afterReading } from "../../transport/after-reading.js";
import { asMopError, type MopError } from "../../transport/errors.js";
import type { Channel, Endpoint, NodeId, Value } from "../../transport/types.js";
import { PROTOCOL_VERSION } from "../../transport/wire/constants.js";
import { problemValue } from "../../transport/wire/problem.js";
import { encodeValue } from "../../transport/wire/value.js";
import type { Blobs } from "../blobs/types.js";
import { bootOverPipe } from "../boot/boot.js";
import type { AdoptReport, StartOrder } from "../orders.js";
import type { BringModule, Run } from "../runtime/types.js";
import type { AdoptedSession } from "../session/adopt.js";
import type { LoadPart } from "./part.js";

/** A connection, or what is left of one; a pipe through a session counts nothing. */
export type LinkBytes = { readonly [name in "bytesWritten" | "bytesRead"]?: number | undefined };

/** What a node starts children with. */
export interface JoinPort {
  readonly endpoint: Endpoint;
  readonly blobs: Pick<Blobs, "get">;
  readonly load: LoadPart;
  /** The core that this node was started from: its children get the same */
  readonly core: Uint8Array;
  /** What the connection to each child costs, by its id, where it is more than its frames */
  readonly links: Map<NodeId, LinkBytes>;
  /** Sessions that no node came up over, by its id: pipes may go through them */
  readonly sessions: Map<NodeId, AdoptedSession>;
  /** What a child says on stderr */
  readonly onLine: (name: string, line: string) => void;
}

/** Where a boot command is run: over a session, or as a process. */
export interface Runner {
  readonly run: Run;
  /** Resolves when it is let in; without a login, that is when it runs */
  readonly authenticated?: Promise<unknown>;
  /** Where there is more to it than the command: keeps it though no node comes up, and tells whether it goes on */
  keep?(): boolean;
  close(): void;
}

/**
 * Starts a node by the boot command and joins it as our child. Until it is let in the child stays expected, so that a
 * refused guess can be tried anew without loss; what fails later ends it.
 */
export async function joinChild(
  { endpoint, blobs, load, core, onLine }: JoinPort,
  channel: Channel,
  { child, elevation }: StartOrder,
  { run, authenticated, keep, close }: Runner,
): Promise<void> {
  const report = (message: AdoptReport) =>
    channel.control(encodeValue(message as unknown as Value)).catch(() => {});
  let booting: Promise<void> | undefined;
  const fail = (error: MopError) => {
    if (booting) endpoint.dropChild(child.id, error);
    channel.reset(error.code, error.message);
    close();
  };
  // The controller gives the child up
  void channel.closed.then((error) => {
    if (error) fail(error);
  });
  try {
    const { name, nonce, bringer } = child;
    const held = elevation !== null;
    const { bring } = bringer ? await load<BringModule>(bringer) : {};
    const first = run((text) => text);
    const command = bring ? bring({ first, run, name, nonce, held, piece: blobs.get }) : first;
    const boot = bootOverPipe(command.pipe, {
      name,
      nonce,
      core,
      timeoutMs: child.bootTimeoutMs,
      elevation,
      onLine: (line) => onLine(name, line),
    });
    command.onStderr(boot.stderr);
    boot.pipe.on("error", () => {});
    await (authenticated ?? boot.booted);
    // Also where the session ended with the very bytes that let us in
    void report({ type: "authenticated" });
    booting = boot.booted;
    // A link over a pipe that broke meanwhile would wait for nothing
    if (boot.pipe.destroyed) await booting;
    const info = await endpoint.attachChild(child.id, boot.pipe, {
      protocol: PROTOCOL_VERSION,
      id: child.id,
      run: child.run,
      heartbeatMs: child.heartbeatMs,
      deadAfterMs: child.deadAfterMs,
    });
    void report({ type: "up", info });
    await command.exit;
    // What a process said last may lie unread when its end is known
    afterReading(0, close);
  } catch (error) {
    const lost = asMopError(error, "BOOT_FAILED");
    // The link only sees that its pipe broke
    const why = lost.code === "LINK_LOST" && booting ? await booting.then(() => lost, asMopError) : lost;
    if (!booting || !keep) return fail(why);
    // That the child is gone overtakes it on the way: it is waited for up there (relay/mesh/or-jump.ts)
    void report({ type: "failed", problem: problemValue(why), ended: !keep() });
    endpoint.dropChild(child.id, why);
  }
}
