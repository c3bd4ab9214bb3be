import type net from "node:net";
import type { Duplex } from "node:stream";
import { type ErrorName, MopError } from "../../transport/errors.js";
import type { CountedPipe, SshSession, Target } from "../../transport/ssh/types.js";
import type { Endpoint, NodeId } from "../../transport/types.js";
import { moment } from "./limits.js";
import { openPipeChannel, type PipeChannel } from "./pipe-channel.js";
import { openProxy } from "./proxy-command.js";

/** From where a host is dialled. */
export type From =
  | { readonly type: "controller" }
  /**
   * `handsOff`: the node may be given the sessions that it carries. `through`: over a session that it carries to a host where
   * no node came up, by the id of that one; `name` is that host's then
   */
  | {
      readonly type: "node";
      readonly id: NodeId;
      readonly name: string;
      readonly handsOff: boolean;
      readonly through?: NodeId;
    }
  /** ssh's own TCP forwarding */
  | { readonly type: "jump"; readonly session: SshSession };

/** A byte pipe to a host's sshd, and how it was come by. */
export interface Way {
  readonly pipe: Duplex;
  /** The node at whose end of it the TCP connection is, where that node may take the session over */
  readonly channel: PipeChannel | undefined;
  /** Resolves when what leads there has ended too, once the pipe is closed: a command of this machine */
  readonly gone?: Promise<void>;
  /** Bytes that went through the pipe so far */
  bytes(): { readonly sent: number; readonly received: number };
  /** What ended the pipe, as far as is known; asked after a failure. */
  failure(): Promise<MopError | undefined>;
}

export type DialSocket = (target: Target, signal: AbortSignal) => Promise<net.Socket>;

export interface WayPort {
  readonly endpoint: Endpoint;
  readonly dialSocket: DialSocket;
}

/** Opens a byte pipe from `from` to the target's sshd; where a node dials, the pipe is usable before it is connected. */
export async function openWay(port: WayPort, from: From, target: Target, signal: AbortSignal): Promise<Way> {
  if (signal.aborted) throw new MopError("CANCELLED", `${target.name}: the dial was given up`);
  switch (from.type) {
    case "controller": {
      const { proxyCommand } = target;
      if (proxyCommand !== undefined) return openProxy({ ...target, proxyCommand });
      const socket = await port.dialSocket(target, signal);
      return {
        pipe: socket,
        channel: undefined,
        bytes: counted(socket),
        failure: async () => undefined,
      };
    }
    case "node": {
      const channel = openPipeChannel(port.endpoint, from, {
        host: target.address,
        port: target.port,
        connectTimeoutMs: target.connectTimeoutMs,
        keep: from.handsOff,
        ...(from.through === undefined ? {} : { through: from.through }),
      });
      return {
        pipe: channel.pipe,
        channel: from.handsOff ? channel : undefined,
        bytes: () => ({ sent: channel.sent, received: channel.received }),
        failure: async () => {
          const error = await settled(channel.closed);
          return error && asSeenFrom(from.name, error);
        },
      };
    }
    case "jump": {
      const pipe = await from.session.forward(target.address, target.port);
      return { pipe, channel: undefined, bytes: counted(pipe), failure: async () => undefined };
    }
  }
}

const counted =
  (pipe: CountedPipe): Way["bytes"] =>
  () => ({ sent: pipe.bytesWritten, received: pipe.bytesRead });

/** The ways out of what a node meets where it dials; it knows neither its own name nor the operator's words. */
const ADVICE: { readonly [code in ErrorName]?: (node: string) => string } = {
  NAME_NOT_FOUND: (node) => ` (mop_host sets the name or address that ${node} knows it by)`,
  CONNECT_REFUSED: () => " (mop_host and mop_port set where it listens)",
  CONNECT_TIMEOUT: () => "",
  CONNECT_UNREACHABLE: () => "",
};

function asSeenFrom(node: string, error: MopError): MopError {
  const advice = ADVICE[error.code]?.(node);
  if (advice === undefined) return error;
  return new MopError(error.code, `${node} can't connect to ${error.message}${advice}`, { cause: error });
}

/** The value of a promise that never rejects if it is there within a moment. */
const settled = <T>(promise: Promise<T | undefined>): Promise<T | undefined> =>
  Promise.race([promise, moment()]);
