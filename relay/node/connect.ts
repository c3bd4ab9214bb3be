import net from "node:net";
import { afterReading } from "../../transport/after-reading.js";
import { type ErrorName, MopError } from "../../transport/errors.js";
import type { PipeOrder } from "../orders.js";

const CODES: { readonly [code: string]: readonly [ErrorName, string] } = {
  ENOTFOUND: ["NAME_NOT_FOUND", "the name is unknown there"],
  EAI_AGAIN: ["NAME_NOT_FOUND", "no name server answers there"],
  ECONNREFUSED: ["CONNECT_REFUSED", "the connection was refused"],
  ETIMEDOUT: ["CONNECT_TIMEOUT", "nothing answers"],
  EHOSTUNREACH: ["CONNECT_UNREACHABLE", "there is no way to the host"],
  ENETUNREACH: ["CONNECT_UNREACHABLE", "there is no way to the network"],
  // After it stood: EPIPE where the server's end had come before its reset
  ECONNRESET: ["SSH_DISCONNECTED", "the connection was broken"],
  EPIPE: ["SSH_DISCONNECTED", "the connection was broken"],
};

/** A failed connect or a broken connection as one of our errors. */
export function connectError(error: NodeJS.ErrnoException, to: string): MopError {
  const [code, why] = CODES[error.code ?? ""] ?? ["CONNECT_UNREACHABLE", error.message];
  return new MopError(code, `${to}: ${why}`, { cause: error });
}

/** The TCP connection of a pipe, without Nagle; `destroy`ed with a MopError where it doesn't stand in time. */
export function connectTo(order: PipeOrder): net.Socket {
  const to = order.host.includes(":") ? `[${order.host}]:${order.port}` : `${order.host}:${order.port}`;
  const socket = net.connect({ host: order.host, port: order.port });
  socket.setNoDelay(true);
  if (order.connectTimeoutMs > 0) {
    const inTime = afterReading(order.connectTimeoutMs, () =>
      socket.destroy(
        new MopError("CONNECT_TIMEOUT", `${to}: nothing answers within ${order.connectTimeoutMs / 1000} s`),
      ),
    );
    socket.once("connect", inTime).once("close", inTime);
  }
  return socket;
}
