import { MopError } from "../../transport/errors.js";
import { createExecChannel, type ExecChannel, type Purpose, type RemoteCommand } from "./channel.js";
import {
  CHANNEL_FAILURE,
  CHANNEL_OPEN,
  CHANNEL_OPEN_FAILURE,
  GLOBAL_REQUEST,
  message,
  outOfPlace,
  peerText,
  REQUEST_FAILURE,
  readFields,
  UNIMPLEMENTED,
  USERAUTH_BANNER,
  USERAUTH_FAILURE,
  USERAUTH_SUCCESS,
} from "./messages.js";

/** What the connection needs of the transport below. */
export interface ConnectionPort {
  send(payload: Buffer): void;
  ready(): boolean;
  /** Sequence number of the packet that was received last */
  received(): number;
  /** The server accepted the login. Called once, not at all where it had done so before. */
  authenticated(): void;
}

/** A session's end of the login and its channels (RFC 4252, RFC 4254). */
export interface Connection {
  /** May be called before the login's answer: it waits for that. */
  exec(purpose: Purpose, onStderr: (chunk: Buffer) => void, tty?: boolean): RemoteCommand;
  /** A message of number 50 or above. Throws MopError where the session can't go on. */
  take(payload: Buffer): void;
  /** The port is ready again. */
  flush(): void;
  /** The session is over: every channel ends. */
  end(error: MopError | undefined): void;
}

/**
 * `loggedIn`: the login's answer came already. `serverIdent` tells servers that are known to number channels from 0:
 * there, where the login's answer is still to come, the first command and the beginning of its input leave at once, not waiting for
 * that (RFC 4252, 5.1) or the channel's.
 */
export function createConnection(port: ConnectionPort, loggedIn: boolean, serverIdent: string): Connection {
  const channels = new Map<number, ExecChannel>();
  const guessable = /OpenSSH|dropbear/.test(serverIdent);
  let open = loggedIn;
  let over = false;
  let reason: MopError | undefined;
  let next = 0;

  function login(type: number, payload: Buffer): void {
    if (type === USERAUTH_SUCCESS) {
      open = true;
      port.authenticated();
      for (const channel of channels.values()) channel.start(false);
    } else if (type === USERAUTH_FAILURE) {
      const fields = readFields(payload);
      const methods = peerText(fields.text());
      const verdict = fields.boolean() ? "accepted the login but wants another one too" : "refused the login";
      throw new MopError("AUTH_REFUSED", `the server ${verdict} (it takes ${methods || "nothing else"})`);
    } else if (type !== USERAUTH_BANNER)
      throw new MopError("AUTH_REFUSED", "the server asks for more than the login");
  }

  return {
    exec(purpose, onStderr, tty = false) {
      const id = next++;
      const { send, ready } = port;
      const channel = createExecChannel(
        { send, ready, forget: () => channels.delete(id) },
        id,
        purpose,
        onStderr,
        tty,
      );
      channels.set(id, channel);
      // A login that waited for its answer is one at which a guess may have failed already
      const guess = guessable && id === 0 && !loggedIn;
      if (over) channel.fail(reason);
      else if (open || guess) channel.start(guess);
      return channel;
    },
    take(payload) {
      const type = payload[0]!;
      if (!open) return login(type, payload);
      // RFC 4252, 5.1: what still comes of the login is ignored
      if (type < GLOBAL_REQUEST) return undefined;
      const fields = readFields(payload);
      if (type === GLOBAL_REQUEST) {
        fields.bytes();
        if (fields.boolean()) port.send(message(REQUEST_FAILURE));
      } else if (type === CHANNEL_OPEN) {
        fields.bytes();
        // 1: administratively prohibited
        port.send(message(CHANNEL_OPEN_FAILURE, fields.uint32(), 1, "", ""));
      } else if (type > CHANNEL_OPEN && type <= CHANNEL_FAILURE) {
        const channel = channels.get(fields.uint32());
        if (!channel) throw outOfPlace(type);
        channel.take(type, fields);
      } else if (type > REQUEST_FAILURE) port.send(message(UNIMPLEMENTED, port.received()));
      return undefined;
    },
    flush() {
      for (const channel of channels.values()) channel.flush();
    },
    end(error) {
      over = true;
      reason = error;
      for (const channel of [...channels.values()]) channel.fail(error);
    },
  };
}
