import type { Duplex } from "node:stream";
import type { SessionState } from "../session-state.js";
import type { Dialled } from "./dial.js";
import { windowAhead } from "./exec-ahead.js";
import { exportSession } from "./export.js";
import type { CountedPipe, LoginPace, SshSession, Target } from "./types.js";

/** A session as others see it. */
export class Session implements SshSession {
  readonly target: Target;
  readonly authenticated: Promise<void>;
  readonly closed: Promise<Error | undefined>;
  readonly #dialled: Dialled;

  /** The window of the first channel where it may be guessed; not any more once there was one */
  #guess: number | undefined;

  constructor(dialled: Dialled, pace: LoginPace) {
    this.#dialled = dialled;
    this.#guess = pace === "eager" ? windowAhead(dialled.connection.serverIdent) : undefined;
    this.target = dialled.connection.target;
    this.authenticated = dialled.authenticated.then(() => {});
    this.authenticated.catch(() => {});
    this.closed = dialled.connection.closed;
  }

  get proof(): SshSession["proof"] {
    const { method, credential } = this.#dialled.proof;
    return { method, ...(credential ? { key: credential.public.fingerprint } : {}) };
  }

  get serverIdent(): string {
    return this.#dialled.connection.serverIdent;
  }

  async exec(command: string, onStderr: (chunk: Buffer) => void, tty = false): Promise<Duplex> {
    const { connection } = this.#dialled;
    const window = this.#takeGuess();
    if (window !== undefined && !tty) return connection.openAhead(command, window, onStderr);
    return connection.openChannel(
      (done) => connection.core.client.exec(command, tty ? { pty: { term: "dumb" } } : {}, done),
      onStderr,
    );
  }

  async forward(host: string, port: number): Promise<CountedPipe> {
    this.#takeGuess();
    const { connection } = this.#dialled;
    const { client } = connection.core;
    return connection.openChannel(
      (done) => client.forwardOut("127.0.0.1", 0, host, port, done),
      undefined,
      host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`,
    );
  }

  get failure(): Error | undefined {
    return this.#dialled.connection.failure;
  }

  #takeGuess(): number | undefined {
    const guess = this.#guess;
    this.#guess = undefined;
    return guess;
  }

  handOff(): Promise<SessionState> {
    return exportSession(this.#dialled);
  }

  close(): void {
    this.#dialled.connection.close();
  }
}
