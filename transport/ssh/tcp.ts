import net, { type Socket } from "node:net";
import { afterReading } from "../after-reading.js";
import { type ErrorName, MopError } from "../errors.js";
import type { Target } from "./types.js";

const CAUSES: Readonly<Record<string, readonly [ErrorName, string]>> = {
  ENOTFOUND: [
    "NAME_NOT_FOUND",
    "the name is not found; mop_host sets the name or address by which it is known here",
  ],
  EAI_AGAIN: ["NAME_NOT_FOUND", "the name can't be resolved now"],
  ECONNREFUSED: ["CONNECT_REFUSED", "nothing listens there (connection refused)"],
  ETIMEDOUT: ["CONNECT_TIMEOUT", "no answer"],
  EHOSTUNREACH: ["CONNECT_UNREACHABLE", "no route to the host"],
  ENETUNREACH: ["CONNECT_UNREACHABLE", "the network is unreachable"],
  EADDRNOTAVAIL: ["CONNECT_UNREACHABLE", "the address can't be reached from here"],
  EINVAL: ["CONNECT_UNREACHABLE", "the address can't be reached from here"],
};

/** What a failed connect means, with `place` as "host:port"; the last of several addresses' failures counts. */
function connectError(place: string, error: NodeJS.ErrnoException): MopError {
  const [code, why] = CAUSES[error.code ?? ""] ?? ["CONNECT_UNREACHABLE", error.message];
  return new MopError(code, `can't connect to ${place}: ${why}`, { cause: error });
}

/**
 * A TCP connection without Nagle's delay. `timeoutMs` covers name resolution and connect, 0 waits as long as the
 * system does. Rejects with NAME_NOT_FOUND, CONNECT_REFUSED, CONNECT_TIMEOUT, CONNECT_UNREACHABLE or CANCELLED.
 */
export function dialSocket(
  host: string,
  port: number,
  timeoutMs: number,
  signal?: AbortSignal,
  { bindAddress, family }: Pick<Target, "bindAddress" | "family"> = {},
): Promise<Socket> {
  const from = bindAddress === undefined ? "" : ` from ${bindAddress}`;
  const place = `${host.includes(":") ? `[${host}]` : host}:${port}${from}`;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(new MopError("CANCELLED", `connecting to ${place} was cancelled`));
      return;
    }
    // Half-open, since the other end of a pipe may close its direction first
    const own = {
      ...(bindAddress === undefined ? {} : { localAddress: bindAddress }),
      ...(family === undefined ? {} : { family }),
    };
    const socket = net.connect({ host, port, noDelay: true, allowHalfOpen: true, ...own });
    let inTime = () => {};
    const settle = (error?: MopError) => {
      inTime();
      signal?.removeEventListener("abort", cancel);
      socket.removeListener("connect", connected).removeListener("error", failed);
      if (!error) return resolve(socket);
      socket.on("error", () => {}).destroy();
      reject(error);
    };
    const connected = () => settle();
    // A reset shows here where it came before we saw that the connection stood: a server may drop those who are too many so
    const failed = (error: NodeJS.ErrnoException) =>
      settle(error.code === "ECONNRESET" ? undefined : connectError(place, error));
    const cancel = () => settle(new MopError("CANCELLED", `connecting to ${place} was cancelled`));
    socket.once("connect", connected).once("error", failed);
    signal?.addEventListener("abort", cancel, { once: true });
    if (timeoutMs > 0) {
      const late = () =>
        settle(
          new MopError(
            "CONNECT_TIMEOUT",
            `can't connect to ${place}: no answer within ${timeoutMs / 1000} s`,
          ),
        );
      inTime = afterReading(timeoutMs, late);
    }
  });
}
