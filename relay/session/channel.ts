import { Duplex } from "node:stream";
import { MopError } from "../../transport/errors.js";
import {
  broken,
  CHANNEL_CLOSE,
  CHANNEL_DATA,
  CHANNEL_EOF,
  CHANNEL_EXTENDED_DATA,
  CHANNEL_FAILURE,
  CHANNEL_OPEN,
  CHANNEL_OPEN_CONFIRMATION,
  CHANNEL_OPEN_FAILURE,
  CHANNEL_REQUEST,
  CHANNEL_WINDOW_ADJUST,
  type FieldReader,
  message,
  outOfPlace,
  peerText,
} from "./messages.js";

/** Bytes that the server may send ahead of what was read here. */
export const RECEIVE_WINDOW = 2 << 20;
/** Longest data message, both ways; RFC 4254, 5.1 leaves it to each side. */
const MAX_DATA = 32768;
/** What a server's window is taken for until it says: OpenSSH's opens at 2 MiB, Dropbear's at 24 kB. */
const GUESSED_WINDOW = 16384;
/** SSH_OPEN_CONNECT_FAILED (RFC 4254, 5.1): the server was willing */
const CONNECT_FAILED = 2;
/** Messages kept apart for a slow reader; past this they are joined, since a message of one byte costs a hundred. */
const MAX_QUEUED = 4096;

/** How a remote command ended; both undefined: the server didn't say, or the session broke first. */
export interface ExitStatus {
  readonly code: number | undefined;
  /** "TERM", "KILL": RFC 4254, 6.10 */
  readonly signal: string | undefined;
}

/** What a channel is for: a command, or a TCP connection that the server makes (RFC 4254, 7.2). */
export type Purpose = string | { readonly host: string; readonly port: number };

/** A command that runs on the server. */
export interface RemoteCommand {
  /**
   * Its stdin and stdout; writing holds back with the server's window, the server with our reading. Fails with MopError
   * SSH_CHANNEL_REFUSED where the server runs no command, FORWARDING_REFUSED or CONNECT_UNREACHABLE where it makes no
   * connection, or with what ended the session. Destroying it closes the channel.
   */
  readonly pipe: Duplex;
  /** Resolves when the channel is closed. Never rejects. */
  readonly exit: Promise<ExitStatus>;
}

/** What a channel needs of the session around it. */
export interface ChannelPort {
  send(payload: Buffer): void;
  /** false while a key exchange runs or the socket is full: data waits for `flush` then */
  ready(): boolean;
  /** The channel's number is free */
  forget(): void;
}

/** One channel with one command or connection (RFC 4254, 5 to 7), the client's side. */
export interface ExecChannel extends RemoteCommand {
  /** Asks for the channel, once. `guess`: also for the command, taking the server's number of the channel for 0. */
  start(guess: boolean): void;
  /** A message to this channel; `fields` stands behind the channel's number. */
  take(type: number, fields: FieldReader): void;
  flush(): void;
  /** The session is over. */
  fail(error: MopError | undefined): void;
}

export function createExecChannel(
  port: ChannelPort,
  id: number,
  purpose: Purpose,
  onStderr: (chunk: Buffer) => void,
  tty: boolean,
): ExecChannel {
  let remote: number | undefined;
  let started = false;
  let guessed = false;
  let confirmed = false;
  let window = 0;
  let maxData = MAX_DATA;
  let unsent: Buffer | undefined;
  let sent: (error?: Error | null) => void = () => {};
  let ending = false;
  let eofSent = false;
  let closeSent = false;
  let closed = false;
  let granted = RECEIVE_WINDOW;
  let consumed = 0;
  let eofReceived = false;
  let wanted = false;
  let queue: (Buffer | null)[] = [];
  let code: number | undefined;
  let signal: string | undefined;
  let exited: (status: ExitStatus) => void;
  const exit = new Promise<ExitStatus>((resolve) => {
    exited = resolve;
  });

  const tell = (type: number, ...fields: Parameters<typeof message>[1][]) =>
    port.send(message(type, remote!, ...fields));
  const run = () => {
    if (typeof purpose !== "string") return;
    // RFC 4254, 6.2; without an answer: where there is no terminal the command sees that itself
    if (tty) tell(CHANNEL_REQUEST, "pty-req", false, "dumb", 80, 24, 0, 0, "\0");
    tell(CHANNEL_REQUEST, "exec", true, purpose);
  };
  const close = () => {
    if (remote === undefined || closeSent) return;
    closeSent = true;
    tell(CHANNEL_CLOSE);
  };
  const gone = () => new MopError("CHANNEL_CLOSED", "the remote command has ended and reads no more");

  function flush(): void {
    while (unsent && !closed && window > 0 && port.ready()) {
      const part = unsent.subarray(0, Math.min(window, maxData));
      unsent = part.length < unsent.length ? unsent.subarray(part.length) : undefined;
      window -= part.length;
      tell(CHANNEL_DATA, part);
      if (!unsent) sent();
    }
    if (ending && !eofSent && !closeSent && remote !== undefined) {
      eofSent = true;
      tell(CHANNEL_EOF);
    }
  }

  /** Gives the window back as data is read. */
  function grant(bytes: number): void {
    consumed += bytes;
    if (consumed < RECEIVE_WINDOW / 8 || eofReceived || closeSent) return;
    granted += consumed;
    tell(CHANNEL_WINDOW_ADJUST, consumed);
    consumed = 0;
  }

  function deliver(): void {
    while (wanted && queue.length > 0) {
      const chunk = queue.shift()!;
      wanted = pipe.push(chunk);
      if (chunk) grant(chunk.length);
    }
  }

  function received(chunk: Buffer, stderr: boolean): void {
    granted -= chunk.length;
    if (granted < 0 || (eofReceived && !stderr))
      throw broken("the server sent more on a channel than it was granted");
    if (stderr || pipe.destroyed) {
      if (!pipe.destroyed) onStderr(chunk);
      grant(chunk.length);
      return;
    }
    queue.push(chunk);
    if (queue.length > MAX_QUEUED) queue = [Buffer.concat(queue as Buffer[])];
    deliver();
  }

  function endOfData(): void {
    if (eofReceived) return;
    eofReceived = true;
    queue.push(null);
    deliver();
  }

  const pipe = new Duplex({
    highWaterMark: 1 << 16,
    // The end of the command's output is not yet the end of the channel: its exit status follows
    autoDestroy: false,
    read() {
      wanted = true;
      deliver();
    },
    write(chunk: Buffer, _encoding, done) {
      if (closed) return done(gone());
      if (chunk.length === 0) return done();
      unsent = chunk;
      sent = done;
      return flush();
    },
    final(done) {
      ending = true;
      if (!closed) flush();
      done();
    },
    destroy(error, done) {
      queue = [];
      if (unsent) sent(error ?? gone());
      unsent = undefined;
      close();
      done(error);
    },
  });

  /** No message will come to this channel any more. */
  function settle(): void {
    closed = closeSent = true;
    port.forget();
    exited({ code, signal });
  }

  function fail(error: MopError | undefined): void {
    settle();
    pipe.destroy(error);
  }

  return {
    pipe,
    exit,
    flush,
    fail,
    start(guess) {
      if (started) return;
      started = true;
      const head = [id, RECEIVE_WINDOW, MAX_DATA];
      port.send(
        typeof purpose === "string"
          ? message(CHANNEL_OPEN, "session", ...head)
          : message(CHANNEL_OPEN, "direct-tcpip", ...head, purpose.host, purpose.port, "127.0.0.1", 0),
      );
      guessed = guess;
      if (!guess) return;
      remote = 0;
      window = GUESSED_WINDOW;
      maxData = GUESSED_WINDOW;
      run();
      flush();
    },
    take(type, fields) {
      if (type === CHANNEL_OPEN_FAILURE) {
        const connects = fields.uint32() === CONNECT_FAILED;
        const why = peerText(fields.text()) || "no reason given";
        const refusal =
          typeof purpose === "string"
            ? new MopError("SSH_CHANNEL_REFUSED", `the server opens no session: ${why}`)
            : new MopError(
                connects ? "CONNECT_UNREACHABLE" : "FORWARDING_REFUSED",
                `${purpose.host}:${purpose.port}: ${why}`,
              );
        // What was sent ahead went to no channel: the server is about to end the session for it
        if (guessed) throw refusal;
        return fail(refusal);
      }
      if (confirmed === (type === CHANNEL_OPEN_CONFIRMATION)) throw outOfPlace(type);
      switch (type) {
        case CHANNEL_OPEN_CONFIRMATION: {
          const number = fields.uint32();
          if (guessed && number !== 0) throw outOfPlace(type);
          confirmed = true;
          remote = number;
          window += fields.uint32() - (guessed ? GUESSED_WINDOW : 0);
          maxData = Math.min(fields.uint32(), MAX_DATA) || 1;
          if (!guessed) run();
          if (pipe.destroyed) close();
          return flush();
        }
        case CHANNEL_WINDOW_ADJUST:
          window += fields.uint32();
          return flush();
        case CHANNEL_DATA:
          return received(fields.bytes(), false);
        case CHANNEL_EXTENDED_DATA:
          fields.uint32();
          return received(fields.bytes(), true);
        case CHANNEL_EOF:
          return endOfData();
        case CHANNEL_CLOSE:
          close();
          settle();
          endOfData();
          if (pipe.readableEnded) pipe.destroy();
          else pipe.once("end", () => pipe.destroy(unsent && gone()));
          return;
        case CHANNEL_REQUEST: {
          const request = fields.text();
          const wantsReply = fields.boolean();
          if (request === "exit-status") code = fields.uint32();
          else if (request === "exit-signal") signal = peerText(fields.text());
          else if (wantsReply) tell(CHANNEL_FAILURE);
          return;
        }
        case CHANNEL_FAILURE:
          close();
          pipe.destroy(new MopError("SSH_CHANNEL_REFUSED", "the server runs no command in this session"));
      }
    },
  };
}
