import type { Duplex } from "node:stream";
import { asMopError, MopError } from "../../transport/errors.js";
import type { SessionState } from "../../transport/session-state.js";
import type { Purpose, RemoteCommand } from "./channel.js";
import { createConnection } from "./connection.js";
import { broken, DISCONNECT, message } from "./messages.js";
import { createTransport } from "./transport.js";

/** Bytes in the socket's queue past which channel data waits. */
const HIGH_WATER = 256 * 1024;
/** Answers pile up past this when a server asks and asks but doesn't read: it is cut off. */
const MAX_UNSENT = 2 << 20;
/** Milliseconds that a goodbye may take before the socket is cut. */
const GOODBYE_MS = 1000;
/** SSH_DISCONNECT_BY_APPLICATION of RFC 4253, 11.1 */
const BY_APPLICATION = 11;

export interface AdoptOptions {
  /** What messages call the host */
  readonly name: string;
  /** Bytes under one key, in either direction, past which new keys are asked for. Default 1 GiB */
  readonly rekeyBytes?: number;
}

/** An SSH session that another process logged in, carried on here. */
export interface AdoptedSession {
  /** Resolves when the server accepted the login (at once where it had); rejects with AUTH_REFUSED or what ended the session. */
  readonly authenticated: Promise<void>;
  /** Runs a command over the session, or connects from there; may be called at once, and again for further ones. */
  exec(purpose: Purpose, onStderr: (chunk: Buffer) => void, tty?: boolean): RemoteCommand;
  /** Says goodbye and closes the pipe; running commands end without an exit status. */
  close(): void;
  /** Resolves when the session is over: undefined after `close`, else why. Never rejects. */
  readonly closed: Promise<MopError | undefined>;
  /** It is over: nothing goes through it any more */
  readonly over: boolean;
}

/**
 * Carries on the session that runs over `pipe`. `replay` are the server's bytes that came already and that the
 * former owner had not consumed. The state belongs to the session from now on: its keys are overwritten when it ends.
 */
export function adoptSession(
  pipe: Duplex,
  replay: Uint8Array,
  state: SessionState,
  options: AdoptOptions,
): AdoptedSession {
  let over = false;
  let corked = false;
  let accept: () => void;
  let refuse: (error: MopError) => void;
  let finish: (error: MopError | undefined) => void;
  const authenticated = new Promise<void>((resolve, reject) => {
    accept = resolve;
    refuse = reject;
  });
  authenticated.catch(() => {});
  const closed = new Promise<MopError | undefined>((resolve) => {
    finish = resolve;
  });

  const transport = createTransport(
    state,
    {
      write(bytes) {
        // One tick's packets leave together
        if (!corked) {
          corked = true;
          pipe.cork();
          process.nextTick(() => {
            corked = false;
            pipe.uncork();
          });
        }
        pipe.write(bytes);
      },
      payload(payload) {
        connection.take(payload);
        if (pipe.writableLength > MAX_UNSENT) throw broken("the server keeps asking and doesn't listen");
      },
      rekeyed: () => connection.flush(),
    },
    options.rekeyBytes,
  );
  const connection = createConnection(
    {
      send: transport.send,
      ready: () => !transport.rekeying && pipe.writableLength < HIGH_WATER,
      received: () => transport.received,
      authenticated: () => accept(),
    },
    state.phase === "authenticated",
    Buffer.from(state.rekey.serverIdent).toString("latin1"),
  );

  function end(cause?: unknown): void {
    if (over) return;
    over = true;
    const error = cause === undefined ? undefined : named(asMopError(cause, "SSH_PROTOCOL"));
    connection.end(error);
    transport.wipe();
    refuse(error ?? new MopError("CANCELLED", `${options.name}: the session was closed`));
    finish(error);
    if (error) pipe.destroy();
    else {
      const timer = setTimeout(() => pipe.destroy(), GOODBYE_MS);
      pipe.end(() => {
        clearTimeout(timer);
        pipe.destroy();
      });
    }
  }

  const named = (error: MopError) =>
    new MopError(error.code, `${options.name}: ${error.message}`, { cause: error });
  const lost = (why: string) => end(new MopError("SSH_DISCONNECTED", `the connection ${why}`));
  const receive = (chunk: Uint8Array) => {
    if (over) return;
    try {
      transport.receive(chunk);
    } catch (error) {
      end(error);
    }
  };

  if (state.phase === "authenticated") accept!();
  receive(replay);
  pipe.on("data", receive);
  // The former owner may have paused it
  pipe.resume();
  pipe.on("drain", () => connection.flush());
  pipe.on("end", () => lost("was closed by the server"));
  pipe.on("error", (error: Error) => lost(`broke: ${error.message}`));
  pipe.on("close", () => lost("was closed"));
  // The server may have left before the session came here
  if (pipe.readableEnded || pipe.destroyed) lost("was closed by the server");

  return {
    authenticated,
    closed,
    get over() {
      return over;
    },
    exec: connection.exec,
    close() {
      if (!over) transport.send(message(DISCONNECT, BY_APPLICATION, "", ""));
      end();
    },
  };
}
