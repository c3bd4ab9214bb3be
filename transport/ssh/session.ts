import type { Duplex } from "node:stream";
import type { SessionState } from "../session-state.js";
import { ChannelPipe } from "./channel-pipe.js";
import type { Dialled } from "./dial.js";
import { exportSession } from "./export.js";
import type { SshSession, Target } from "./types.js";

/** A session as others see it. */
export class Session implements SshSession {
  readonly target: Target;
  readonly authenticated: Promise<void>;
  readonly closed: Promise<Error | undefined>;
  readonly #dialled: Dialled;

  constructor(dialled: Dialled) {
    this.#dialled = dialled;
    this.target = dialled.connection.target;
    this.authenticated = dialled.authenticated.then(() => {});
    this.authenticated.catch(() => {});
    this.closed = dialled.connection.closed;
  }

  get serverIdent(): string {
    return this.#dialled.connection.serverIdent;
  }

  async exec(command: string, onStderr: (chunk: Buffer) => void): Promise<Duplex> {
    const { connection } = this.#dialled;
    const pipe = new ChannelPipe(() => connection.drained());
    const channel = await connection.openChannel((done) => connection.core.client.exec(command, {}, done));
    channel.stderr.on("data", onStderr);
    pipe.attach(channel);
    pipe.settle();
    return pipe;
  }

  async forward(host: string, port: number): Promise<Duplex> {
    const { connection } = this.#dialled;
    const pipe = new ChannelPipe(() => connection.drained());
    const { client } = connection.core;
    const channel = await connection.openChannel((done) =>
      client.forwardOut("127.0.0.1", 0, host, port, done),
    );
    pipe.attach(channel);
    pipe.settle();
    return pipe;
  }

  handOff(): Promise<SessionState> {
    return exportSession(this.#dialled);
  }

  close(): void {
    this.#dialled.connection.close();
  }
}
