/** One SSH session over one byte pipe: from the first byte to the key exchange, then channels. */
import type { KeyPairKeyObjectResult } from "node:crypto";
import type { Duplex } from "node:stream";
import { asMopError, MopError } from "../errors.js";
import { KEX } from "./algorithms.js";
import { ChannelPipe } from "./channel-pipe.js";
import { execAhead } from "./exec-ahead.js";
import { PacketFramer } from "./framing.js";
import type { HostKeyVerifier } from "./host-key.js";
import { type ClientChannel, type NegotiatedAlgorithms, Ssh2Core } from "./internals.js";
import { PacketSocket } from "./packet-socket.js";
import { plain } from "./plain.js";
import type { Target } from "./types.js";

/** What of the key exchange goes out before the server has said anything. */
export interface EarlyParts {
  /** Our KEXINIT behind our identification (RFC 4253, 7.1) */
  readonly kexinit: boolean;
  /** Also the key share for curve25519: a guess */
  readonly share: boolean;
}

/** Where a session stands, for messages */
type Stage = "identification" | "key exchange" | "login" | "session";
const DOING: Readonly<Record<Stage, string>> = {
  identification: "before its SSH identification",
  "key exchange": "during the key exchange",
  login: "during the login",
  session: "in mid-session",
};

/** SSH_OPEN_CONNECT_FAILED (RFC 4254, 5.1): the server was willing to forward */
const CONNECT_FAILED = 2;

/** What Node's cipher and ssh2 say of a packet whose tag or MAC is wrong. */
const TAMPERED = /unable to authenticate data|Invalid MAC/;
/** Each key that is offered counts (MaxAuthTries) */
const TOO_MANY_KEYS =
  "; it takes no more keys than that: name the right one with mop_identity, or with IdentityFile and IdentitiesOnly";

/** Identification given to ssh2 until the server's own is here; never seen by anyone else. */
const PLACEHOLDER = "SSH-2.0-unknown";
export class Connection {
  readonly target: Target;
  readonly core: Ssh2Core;
  readonly pipe: Duplex;
  readonly verifier: HostKeyVerifier;
  /** Resolves when the keys are agreed on and the host key is accepted. */
  readonly handshake: Promise<NegotiatedAlgorithms>;
  /** Resolves when nothing goes any more, with the reason when it was not asked for. */
  readonly closed: Promise<MopError | undefined>;
  readonly #socket: PacketSocket;
  readonly #framer = new PacketFramer();
  readonly #early: EarlyParts;
  #share: KeyPairKeyObjectResult | undefined;
  #identification: string | undefined;
  #stage: Stage = "identification";
  #started = false;
  #released = false;
  #closing = false;
  #failure: MopError | undefined;
  readonly #opening = new Set<() => void>();
  readonly #pipes = new Set<ChannelPipe>();
  #negotiated: NegotiatedAlgorithms | undefined;
  #agreed!: (negotiated: NegotiatedAlgorithms) => void;
  #over!: (reason: MopError | undefined) => void;
  readonly #onEnd: (() => void)[] = [];

  constructor(pipe: Duplex, target: Target, verifier: HostKeyVerifier, early: EarlyParts) {
    this.target = target;
    this.pipe = pipe;
    this.verifier = verifier;
    this.#early = early;
    this.#socket = new PacketSocket(pipe);
    this.closed = new Promise((resolve) => {
      this.#over = resolve;
    });
    this.handshake = new Promise((resolve, reject) => {
      this.#agreed = resolve;
      this.#onEnd.push(() => reject(this.reason()));
    });
    this.handshake.catch(() => {});
    const { kex, serverHostKey, cipher, hmac } = verifier.algorithms;
    this.core = new Ssh2Core(this.#socket, {
      user: target.user,
      verify: (key) => verifier.check(key),
      keepaliveMs: target.keepaliveMs,
      algorithms: {
        kex: [...kex],
        serverHostKey: [...serverHostKey],
        cipher: [...cipher],
        hmac: [...hmac],
        compress: ["none"],
      },
    });
    this.core.client
      .on("error", (error) => this.fail(this.#explain(error)))
      .on("close", () => this.#end())
      .on("handshake", (negotiated) => {
        this.#negotiated = negotiated;
        if (this.#stage === "key exchange") this.#stage = "login";
        this.#agreed(negotiated);
      });
    this.#socket.once("started", () => this.#start());
    pipe.on("error", this.#pipeFailed).on("end", this.#pipeEnded).on("close", this.#pipeEnded);
    // It may have ended while keys were still being read, and says so to nobody again
    if (pipe.errored) this.#pipeFailed(pipe.errored);
    else if (pipe.destroyed) this.#pipeEnded();
  }

  /** The server's identification line; "" before it came */
  get serverIdent(): string {
    return this.#identification ?? "";
  }

  get negotiated(): NegotiatedAlgorithms | undefined {
    return this.#negotiated;
  }

  /** Raw bytes of the server taken so far, a packet border */
  get consumed(): number {
    return this.#framer.consumed;
  }

  /** What it was ended by, where that was not asked for */
  get failure(): MopError | undefined {
    return this.#failure;
  }

  get ended(): boolean {
    return this.#failure !== undefined || this.#closing || this.#released;
  }

  /** The login is through. */
  entered(): void {
    this.#stage = "session";
  }

  get inSession(): boolean {
    return this.#stage === "session";
  }

  /** Channels that were opened and aren't closed, or are being opened */
  get channels(): number {
    return this.#opening.size + this.#pipes.size;
  }

  /** Resolves when no key exchange is in progress. */
  async settled(): Promise<void> {
    while (this.core.exchanging) await this.#nextKeys();
  }

  /** Changes the session's keys; resolves when the new ones are in force in both directions. */
  async rekey(): Promise<void> {
    await this.settled();
    const done = this.#nextKeys();
    this.core.rekey();
    await done;
  }

  #nextKeys(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.ended) return reject(this.reason());
      this.#onEnd.push(() => reject(this.reason()));
      this.core.client.once("handshake", () => resolve());
    });
  }

  /** Why it ended, for whoever still waits for something */
  reason(): MopError {
    return (
      this.#failure ?? new MopError("SSH_DISCONNECTED", `the session with ${this.target.name} was closed`)
    );
  }

  /** Called once when the session ends, before `closed` resolves. */
  onEnd(callback: () => void): void {
    if (this.ended) callback();
    else this.#onEnd.push(callback);
  }

  /**
   * A channel of ours, to `address` where that is given; rejects with SSH_CHANNEL_REFUSED, FORWARDING_REFUSED,
   * CONNECT_UNREACHABLE or what ended the session. It is pulled down with the session.
   */
  openChannel(
    open: (done: (error: Error | undefined, channel: ClientChannel) => void) => void,
    onStderr?: (chunk: Buffer) => void,
    address?: string,
  ): Promise<ChannelPipe> {
    return new Promise((resolve, reject) => {
      if (this.ended) return reject(this.reason());
      const stop = () => reject(this.reason());
      this.#opening.add(stop);
      open((error, channel) => {
        this.#opening.delete(stop);
        // At once: what comes in the same flight must find its readers
        if (!error) resolve(this.#join(channel, onStderr));
        else reject(this.ended ? this.reason() : this.#channelRefused(address, error));
      });
    });
  }

  /** A command's channel as the session's first, before the server has said anything of it (exec-ahead.ts). */
  openAhead(command: string, window: number, onStderr: (chunk: Buffer) => void): ChannelPipe {
    if (this.ended) throw this.reason();
    const lost = ({ code, message }: MopError) =>
      this.fail(new MopError(code, `${this.target.name} refused a channel: ${plain(message)}`));
    return this.#join(execAhead(this.core, command, window, lost), onStderr);
  }

  #join(channel: ClientChannel, onStderr?: (chunk: Buffer) => void): ChannelPipe {
    const pipe = new ChannelPipe(channel, () => this.#socket.drained());
    this.#pipes.add(pipe);
    channel.once("close", () => this.#pipes.delete(pipe));
    if (onStderr) channel.stderr.on("data", onStderr);
    return pipe;
  }

  #channelRefused(address: string | undefined, error: Error & { reason?: unknown }): MopError {
    const { name } = this.target;
    const why = plain(error.message.replace(/^\(SSH\) Channel open failure: ?/, "")) || "no reason given";
    const options = { cause: error };
    if (address === undefined)
      return new MopError("SSH_CHANNEL_REFUSED", `${name} refused a channel: ${why}`, options);
    return error.reason === CONNECT_FAILED
      ? new MopError("CONNECT_UNREACHABLE", `${name} can't connect to ${address}: ${why}`, options)
      : new MopError("FORWARDING_REFUSED", `${address}: ${why}`, options);
  }

  /** Ends the session on account of `error`; the first one counts. */
  fail(error: MopError): void {
    if (this.#released || this.#failure || this.#closing) return;
    this.#failure = error;
    this.#shut();
  }

  close(): void {
    if (this.#released || this.#closing || this.#failure) return;
    this.#closing = true;
    if (!this.core.dead) this.core.client.end();
    this.#shut();
  }

  /** Lets go of the pipe: flushes what ssh2 has written, and neither reads nor writes from then on. */
  release(): void {
    this.#socket.flush();
    this.#socket.detach();
    this.#released = true;
    this.#dropPipe();
    this.pipe.pause();
    this.#socket.destroy();
    for (const callback of this.#onEnd.splice(0)) callback();
    this.#over(undefined);
  }

  #shut(): void {
    this.#socket.flush();
    this.#end();
    if (!this.pipe.destroyed) {
      this.pipe.end();
      // A peer that never ends its direction must not hold the pipe open
      setTimeout(() => this.pipe.destroy(), 1000).unref();
    }
    this.#socket.destroy();
  }

  #end(): void {
    if (this.#released) return;
    for (const callback of this.#onEnd.splice(0)) callback();
    for (const stop of this.#opening) stop();
    if (this.#failure) for (const pipe of this.#pipes) pipe.lost(this.#failure);
    this.#over(this.#closing ? undefined : this.#failure);
  }

  #dropPipe(): void {
    this.pipe
      .removeListener("data", this.#received)
      .removeListener("error", this.#pipeFailed)
      .removeListener("end", this.#pipeEnded)
      .removeListener("close", this.#pipeEnded);
    this.pipe.on("error", () => {});
  }

  /** ssh2 has written our identification: from here on it can be fed. */
  #start(): void {
    // The pipe may have been lost in the turn between; ssh2 throws then
    if (this.ended || this.core.dead) return;
    this.#started = true;
    if (this.#early.kexinit) this.core.identify(PLACEHOLDER);
    // It stands for the first of the list (RFC 4253, 7.1), which OpenSSH's configuration may have shortened
    const guesses = this.#early.share && this.verifier.algorithms.kex[0] === KEX[0];
    if (this.#early.kexinit && guesses) this.#share = this.core.sendKeyShare();
    // Whoever opened it may have paused it until somebody reads
    this.pipe.on("data", this.#received).resume();
  }

  readonly #received = (chunk: Buffer): void => {
    if (this.ended || !this.#started) return;
    try {
      this.#framer.push(chunk);
      this.#advance();
    } catch (error) {
      this.fail(this.#explain(error));
    }
  };

  #advance(): void {
    if (this.#identification === undefined) {
      const line = this.#framer.identification();
      if (line === undefined) return;
      this.#identification = line;
      this.#stage = "key exchange";
      if (this.#early.kexinit) this.core.correctIdentification(line);
      else this.core.identify(line);
    }
    while (!this.ended) {
      const packet = this.#framer.packet(this.core.inboundShape);
      if (!packet) return;
      this.#feed(packet);
    }
  }

  #feed(packet: Buffer): void {
    const share = this.#share;
    this.#share = undefined;
    if (!share) {
      this.core.parse(packet);
      return;
    }
    if (this.core.parseKexinitBehindShare(packet, share)) return;
    const agreed = this.core.negotiatedKex ?? "another key exchange";
    this.fail(
      new MopError(
        "SSH_PROTOCOL",
        `${this.target.name} wants ${agreed}, not the key share that was sent early`,
      ),
    );
  }

  readonly #pipeFailed = (error: Error): void => {
    // Closed by the server behind another one's channel, it has ended as any connection does
    const known = error instanceof MopError && error.code !== "CHANNEL_CLOSED";
    this.fail(known ? error : this.#lost(error.message, error));
  };

  readonly #pipeEnded = (): void => this.fail(this.#lost("the connection was closed", undefined));

  #lost(why: string, cause: unknown): MopError {
    const text = `the connection to ${this.target.name} ended ${DOING[this.#stage]}: ${plain(why)}`;
    return new MopError("SSH_DISCONNECTED", text, { cause });
  }

  #explain(thrown: unknown): MopError {
    if (this.verifier.refusal) return this.verifier.refusal;
    if (thrown instanceof MopError)
      return new MopError(thrown.code, `${this.target.name}: ${thrown.message}`, { cause: thrown });
    const error = thrown as Error & { code?: unknown; level?: string };
    const said = plain(error.message ?? String(thrown));
    const text = TAMPERED.test(said)
      ? "a packet failed its integrity check: it was altered on the way"
      : said;
    // ssh2 puts the reason of a DISCONNECT message (RFC 4253, 11.1) there
    if (typeof error.code === "number") {
      const refused = error.code === 14 || /too many authentication failures/i.test(text);
      const way = /too many authentication failures/i.test(text) ? TOO_MANY_KEYS : "";
      const said = `${this.target.name} ended the session ${DOING[this.#stage]}: ${text}${way}`;
      return new MopError(refused ? "AUTH_REFUSED" : "SSH_DISCONNECTED", said, { cause: error });
    }
    if (error.level === "client-timeout")
      return new MopError("SSH_DISCONNECTED", `${this.target.name} doesn't answer any more (keepalive)`, {
        cause: error,
      });
    if (
      error.level === "handshake" ||
      error.level === "protocol" ||
      text !== said ||
      this.#stage !== "session"
    )
      return new MopError("SSH_PROTOCOL", `${this.target.name}: SSH failed ${DOING[this.#stage]}: ${text}`, {
        cause: error,
      });
    return asMopError(error, "SSH_PROTOCOL");
  }
}
