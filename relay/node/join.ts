import type { Duplex } from "node:stream";
import { asMopError, type MopError } from "../../transport/errors.js";
import type { Channel, Endpoint, NodeId, Value } from "../../transport/types.js";
import { PROTOCOL_VERSION } from "../../transport/wire/constants.js";
import { problemValue } from "../../transport/wire/problem.js";
import { encodeValue } from "../../transport/wire/value.js";
import { bootOverPipe } from "../boot/boot.js";
import type { AdoptReport, StartOrder } from "../orders.js";
import type { AdoptedSession } from "../session/adopt.js";

/** A connection, or what is left of one; a pipe through a session counts nothing. */
export type LinkBytes = { readonly [name in "bytesWritten" | "bytesRead"]?: number | undefined };

/** What a node starts children with. */
export interface JoinPort {
  readonly endpoint: Endpoint;
  /** The core that this node was started from: its children get the same */
  readonly core: Uint8Array;
  /** What the connection to each child costs, by its id, where it is more than its frames */
  readonly links: Map<NodeId, LinkBytes>;
  /** Sessions that no node came up over, by its id: pipes may go through them */
  readonly sessions: Map<NodeId, AdoptedSession>;
  /** What a child says on stderr */
  readonly onLine: (name: string, line: string) => void;
}

/** A boot command that runs, over a session or as a process. */
export interface Running {
  readonly pipe: Duplex;
  /** Resolves when it is let in; without a login, that is when it runs */
  readonly authenticated?: Promise<unknown>;
  readonly exit: Promise<unknown>;
  onStderr(take: (chunk: Buffer) => void): void;
  /** Where there is more to it than the command: keeps it though no node comes up */
  keep?(): void;
  close(): void;
}

/**
 * Starts a node over what `running` is and joins it as our child. Until it is let in the child stays expected, so that a
 * refused guess can be tried anew without loss; what fails later ends it.
 */
export async function joinChild(
  { endpoint, core, onLine }: JoinPort,
  channel: Channel,
  { child, elevation }: StartOrder,
  running: Running,
): Promise<void> {
  const report = (message: AdoptReport) =>
    channel.control(encodeValue(message as unknown as Value)).catch(() => {});
  let booting: Promise<void> | undefined;
  const fail = (error: MopError) => {
    if (booting) endpoint.dropChild(child.id, error);
    channel.reset(error.code, error.message);
    running.close();
  };
  // The controller gives the child up
  void channel.closed.then((error) => {
    if (error) fail(error);
  });
  try {
    const boot = bootOverPipe(running.pipe, {
      name: child.name,
      nonce: child.nonce,
      core,
      timeoutMs: child.bootTimeoutMs,
      elevation,
      onLine: (line) => onLine(child.name, line),
    });
    running.onStderr(boot.stderr);
    boot.pipe.on("error", () => {});
    await (running.authenticated ?? boot.booted);
    void report({ type: "authenticated" });
    booting = boot.booted;
    const info = await endpoint.attachChild(child.id, boot.pipe, {
      protocol: PROTOCOL_VERSION,
      id: child.id,
      run: child.run,
      heartbeatMs: child.heartbeatMs,
      deadAfterMs: child.deadAfterMs,
    });
    void report({ type: "up", info });
    await running.exit;
    running.close();
  } catch (error) {
    const lost = asMopError(error, "BOOT_FAILED");
    // The link only sees that its pipe broke
    const why = lost.code === "LINK_LOST" && booting ? await booting.then(() => lost, asMopError) : lost;
    if (!booting || !running.keep) return fail(why);
    // Before others hear that the child is gone
    void report({ type: "failed", problem: problemValue(why) });
    endpoint.dropChild(child.id, why);
    running.keep();
  }
}
