/**
 * What ssh2 keeps to itself is touched here and in library.ts only (version 1.17.0, pinned exactly; one canary test per field
 * in test/lab/ssh/internals.test.ts). Everything private gets a name of ours here.
 */
import { createDecipheriv, generateKeyPairSync, type KeyPairKeyObjectResult } from "node:crypto";
import type { Duplex } from "node:stream";
import type { Client, ClientChannel, NegotiatedAlgorithms, ParsedKey, Prompt } from "ssh2";
import { CLEAR, type PacketShape } from "./framing.js";
import { type Coder, type CoderRecord, count, gcm, library, nextIv } from "./library.js";
import { wireStrings } from "./public-blob.js";

export type { ClientChannel, NegotiatedAlgorithms, ParsedKey, Prompt };

const USERAUTH_REQUEST = 50;

/** ssh2's table of what the server's messages do; entries are replaced to see or swallow a message. */
export interface Handlers {
  SERVICE_ACCEPT(protocol: unknown, name: string): void;
  USERAUTH_SUCCESS(protocol: unknown): void;
  USERAUTH_FAILURE(protocol: unknown, methods: string[], partial: boolean): void;
  USERAUTH_PASSWD_CHANGEREQ(protocol: unknown, prompt: string): void;
  USERAUTH_PK_OK(protocol: unknown): void;
  USERAUTH_INFO_REQUEST(protocol: unknown, name: string, instructions: string, prompts: Prompt[]): void;
  CHANNEL_OPEN_CONFIRMATION(protocol: unknown, info: ChannelConfirmation): void;
  CHANNEL_OPEN_FAILURE(protocol: unknown, channel: number, reason: number, description: string): void;
  CHANNEL_WINDOW_ADJUST(protocol: unknown, channel: number, bytes: number): void;
  CHANNEL_SUCCESS(protocol: unknown, channel: number): void;
  CHANNEL_FAILURE(protocol: unknown, channel: number): void;
}
export interface ChannelConfirmation {
  recipient: number;
  sender: number;
  window: number;
  packetSize: number;
}

interface Protocol {
  _handlers: Handlers;
  _cipher: Coder;
  _decipher: Coder | undefined;
  _kexinit: Buffer | undefined;
  _queue: unknown[] | undefined;
  _authsQueue: string[];
  _strictMode: boolean | undefined;
  _kex: { sessionID: Buffer; negotiated: NegotiatedAlgorithms; _keys?: KeyPairKeyObjectResult } | undefined;
  _identRaw: Buffer;
  _remoteIdentRaw: Buffer;
  _destruct: unknown;
  _packetRW: {
    write: {
      allocStart: number;
      allocStartKEX: number;
      alloc(size: number, kex?: boolean): Buffer;
      finalize(p: Buffer, kex?: boolean): Buffer;
    };
  };
  parse(chunk: Buffer, start: number, end: number): void;
  rekey(): void;
  authNone(user: string): void;
  authPassword(user: string, password: string): void;
  authKeyboard(user: string): void;
  authInfoRes(answers: readonly string[]): void;
}
type PrivateClient = Client & { _protocol: Protocol };

export interface CoreConfig {
  readonly user: string;
  /** The host key as the wire has it, for each key exchange */
  readonly verify: (hostKey: Buffer) => boolean;
  readonly keepaliveMs: number;
  readonly algorithms: {
    kex: string[];
    serverHostKey: string[];
    cipher: string[];
    hmac: string[];
    compress: ["none"];
  };
}

/** Bytes of SessionState that ssh2 alone knows. */
export interface CoreState {
  readonly outbound: { readonly record: CoderRecord; readonly sequence: number };
  readonly inbound: { readonly record: CoderRecord; readonly sequence: number };
  readonly sessionId: Buffer;
  readonly clientIdent: Buffer;
  readonly serverIdent: Buffer;
  readonly strict: boolean;
}

/** One ssh2 client over a socket of ours, driven packet by packet. */
export class Ssh2Core {
  readonly client: Client;
  readonly #protocol: Protocol;
  readonly #user: string;

  constructor(socket: Duplex, config: CoreConfig) {
    const client = new library.Client() as PrivateClient;
    this.client = client;
    this.#user = config.user;
    // What was never asked for: a channel of the server's that is left without an answer stays in ssh2's tables
    for (const event of ["tcp connection", "unix connection", "x11"])
      (client as NodeJS.EventEmitter).on(event, (_info: unknown, _accept: unknown, refuse: () => void) =>
        refuse(),
      );
    client.connect({
      sock: socket,
      username: config.user,
      hostVerifier: (key: Buffer) => config.verify(key),
      readyTimeout: 0,
      keepaliveInterval: config.keepaliveMs,
      // Logins are ours (userauth.ts): ssh2 must not try any method by itself
      authHandler: [],
      algorithms: config.algorithms as NonNullable<Parameters<Client["connect"]>[0]["algorithms"]>,
    });
    this.#protocol = client._protocol;
  }

  get handlers(): Handlers {
    return this.#protocol._handlers;
  }

  /** Gives ssh2 the server's identification, which makes it send its KEXINIT. */
  identify(line: string): void {
    const bytes = Buffer.from(`${line}\r\n`, "latin1");
    this.#protocol.parse(bytes, 0, bytes.length);
  }

  /** Takes back an identification that was made up to get our KEXINIT sent early; before the server's KEXINIT. */
  correctIdentification(line: string): void {
    this.#protocol._remoteIdentRaw = Buffer.from(line, "latin1");
  }

  /** How the server's next packet shows its length. */
  get inboundShape(): PacketShape {
    const record = this.#protocol._decipher && library.records.get(this.#protocol._decipher);
    if (!record) return CLEAR;
    if (gcm(record)) return { ...CLEAR, tail: 16 };
    if (record.mac!.etm) return { ...CLEAR, tail: record.mac!.length };
    return { head: 16, tail: record.mac!.length, length: (head) => firstBlock(record, head).readUInt32BE(0) };
  }

  /** Feeds one whole packet; `length` is its length field. Throws what ssh2 throws on nonsense. */
  parse(packet: Buffer): void {
    const record = this.#protocol._decipher && library.records.get(this.#protocol._decipher);
    if (record) count(record, packet.length - 4 - (record.mac?.length ?? 16));
    this.#protocol.parse(packet, 0, packet.length);
  }

  /** Whether ssh2 has given up: a fatal error or the end of its socket */
  get dead(): boolean {
    return this.#protocol._destruct === undefined;
  }

  /** Whether keys are being exchanged: what is sent meanwhile waits, and no state can be taken. */
  get exchanging(): boolean {
    return this.#protocol._kexinit !== undefined || this.#protocol._queue !== undefined;
  }

  rekey(): void {
    this.#protocol.rekey();
  }

  /** The key exchange in progress or done, as far as the server's KEXINIT has come */
  get negotiatedKex(): string | undefined {
    return this.#protocol._kex?.negotiated.kex;
  }

  /** Sends KEX_ECDH_INIT (RFC 8731) behind our KEXINIT, before the server's is here. Returns the key pair used. */
  sendKeyShare(): KeyPairKeyObjectResult {
    const keys = generateKeyPairSync("x25519");
    const share = keys.publicKey.export({ type: "spki", format: "der" }).subarray(-32);
    const { write } = this.#protocol._packetRW;
    const start = write.allocStartKEX;
    const packet = write.alloc(5 + share.length, true);
    packet[start] = 30;
    packet.writeUInt32BE(share.length, start + 1);
    packet.set(share, start + 5);
    this.#protocol._cipher.encrypt(write.finalize(packet, true));
    return keys;
  }

  /**
   * Feeds the server's KEXINIT when our key share is already sent: ssh2's own is swallowed and the sent one's keys
   * take its place. Returns false when another key exchange was agreed on; the session is lost then.
   */
  parseKexinitBehindShare(packet: Buffer, keys: KeyPairKeyObjectResult): boolean {
    const cipher = this.#protocol._cipher;
    const encrypt = cipher.encrypt;
    cipher.encrypt = () => {};
    try {
      this.parse(packet);
    } finally {
      cipher.encrypt = encrypt;
    }
    const kex = this.#protocol._kex;
    if (!kex || !/^curve25519-sha256(@libssh\.org)?$/.test(kex.negotiated.kex)) return false;
    kex._keys = keys;
    return true;
  }

  authNone(): void {
    this.#protocol.authNone(this.#user);
  }

  authPassword(password: string): void {
    this.#protocol.authPassword(this.#user, password);
  }

  authKeyboard(): void {
    this.#protocol.authKeyboard(this.#user);
  }

  answerPrompts(answers: readonly string[]): void {
    this.#protocol.authInfoRes(answers);
  }

  /** Asks whether the server would take this key (RFC 4252, 7). */
  queryKey(algorithm: string, blob: Buffer): void {
    this.#sendAuth(this.#keyRequest(false, algorithm, blob));
  }

  /**
   * Sends the signed request; `sign` gets what is to be signed and gives the signature as the wire has it. Resolves when
   * it is sent. ssh2's own request knows neither certificates nor security keys.
   */
  async signedKey(algorithm: string, blob: Buffer, sign: (data: Buffer) => Promise<Buffer>): Promise<void> {
    const request = this.#keyRequest(true, algorithm, blob);
    const session = wireStrings(this.#protocol._kex!.sessionID);
    const signature = await sign(Buffer.concat([session, request]));
    this.#sendAuth(Buffer.concat([request, wireStrings(signature)]));
  }

  #keyRequest(signed: boolean, algorithm: string, blob: Buffer): Buffer {
    return Buffer.concat([
      Buffer.of(USERAUTH_REQUEST),
      wireStrings(this.#user, "ssh-connection", "publickey"),
      Buffer.of(signed ? 1 : 0),
      wireStrings(algorithm, blob),
    ]);
  }

  #sendAuth(payload: Buffer): void {
    const { write } = this.#protocol._packetRW;
    const packet = write.alloc(payload.length);
    packet.set(payload, write.allocStart);
    // ssh2 takes an answer for the first of these
    this.#protocol._authsQueue.push("publickey");
    const whole = write.finalize(packet);
    // What comes up while keys are exchanged waits (RFC 4253, 7.1)
    if (this.#protocol._kexinit === undefined) this.#protocol._cipher.encrypt(whole);
    else {
      this.#protocol._queue ??= [];
      this.#protocol._queue.push(whole);
    }
  }

  /** The session's keys and counters for the next packets. Not while `exchanging`. */
  state(): CoreState {
    const { _cipher: cipher, _decipher: decipher, _kex: kex, _strictMode: strict } = this.#protocol;
    const outbound = library.records.get(cipher);
    const inbound = decipher && library.records.get(decipher);
    if (!outbound || !inbound || !kex || this.exchanging) throw new Error("no keys are in force");
    return {
      outbound: { record: outbound, sequence: cipher.outSeqno },
      inbound: { record: inbound, sequence: decipher.inSeqno },
      sessionId: Buffer.from(kex.sessionID),
      clientIdent: Buffer.from(this.#protocol._identRaw),
      serverIdent: Buffer.from(this.#protocol._remoteIdentRaw),
      strict: strict === true,
    };
  }
}

/** Decrypts the first block of a packet apart from ssh2's own cipher, for its length. */
function firstBlock(record: CoderRecord, head: Buffer): Buffer {
  return createDecipheriv(record.cipher, record.key, nextIv(record)).update(head);
}
