import type net from "node:net";
import { asMopError, type MopError } from "../../transport/errors.js";
import type { Channel, Endpoint, NodeId, Value } from "../../transport/types.js";
import { PROTOCOL_VERSION } from "../../transport/wire/constants.js";
import { encodeValue } from "../../transport/wire/value.js";
import { bootOverPipe } from "../boot/boot.js";
import type { AdoptOrder, AdoptReport } from "../orders.js";
import { adoptSession } from "../session/adopt.js";

/** A connection, or what is left of one. */
export type LinkBytes = Pick<net.Socket, "bytesWritten" | "bytesRead">;

/** What a node carries on sessions with. */
export interface AdoptPort {
  readonly endpoint: Endpoint;
  /** The core that this node was started from: its children get the same */
  readonly core: Uint8Array;
  /** What the connection to each child costs, by its id */
  readonly links: Map<NodeId, LinkBytes>;
  /** What a child says on stderr */
  readonly onLine: (name: string, line: string) => void;
}

/**
 * Carries on the session on `socket`, starts a node over it and joins it as our child. Until the server accepted the
 * login the child stays expected, so that a refused guess can be tried anew without loss; what fails later ends it.
 */
export async function adopt(
  port: AdoptPort,
  channel: Channel,
  socket: net.Socket,
  replay: Buffer,
  { session: state, command, child, elevation }: AdoptOrder,
): Promise<void> {
  const { endpoint } = port;
  const session = adoptSession(socket, replay, state, { name: child.name });
  port.links.set(child.id, socket);
  socket.on("close", () => {
    const { bytesWritten, bytesRead } = socket;
    if (port.links.get(child.id) === socket) port.links.set(child.id, { bytesWritten, bytesRead });
  });
  const report = (message: AdoptReport) =>
    channel.control(encodeValue(message as unknown as Value)).catch(() => {});
  let booting: Promise<void> | undefined;
  const fail = (error: MopError) => {
    if (booting) endpoint.dropChild(child.id, error);
    channel.reset(error.code, error.message);
    session.close();
  };
  // The controller gives the child up
  void channel.closed.then((error) => {
    if (error) fail(error);
  });
  try {
    let onStderr = (_chunk: Buffer) => {};
    const remote = session.exec(command, (chunk) => onStderr(chunk), elevation !== null);
    const boot = bootOverPipe(remote.pipe, {
      name: child.name,
      nonce: child.nonce,
      core: port.core,
      timeoutMs: child.bootTimeoutMs,
      elevation,
      onLine: (line) => port.onLine(child.name, line),
    });
    onStderr = (chunk) => boot.stderr(chunk);
    boot.pipe.on("error", () => {});
    await session.authenticated;
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
    await remote.exit;
    session.close();
  } catch (error) {
    const lost = asMopError(error, "BOOT_FAILED");
    // The link only sees that its pipe broke
    fail(lost.code === "LINK_LOST" && booting ? await booting.then(() => lost, asMopError) : lost);
  }
}
