/**
 * Logs in by ssh2 and takes the session out of it at a packet border: a controller's side of the hand-off in
 * little, so that relay/session is tested without the product's own exporter.
 */
import { createDecipheriv, type Decipher } from "node:crypto";
import { createRequire } from "node:module";
import net from "node:net";
import { Duplex } from "node:stream";
import type { ConnectConfig, Client as Ssh2Client } from "ssh2";
import type {
  DirectionState,
  HandoffCipher,
  HandoffMac,
  SessionState,
} from "../../transport/session-state.js";

interface MacInfo {
  readonly actualLen: number;
}
interface Recorded {
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly macKey: Buffer | null;
  packets: number;
  /** Encrypted bytes, counted here only */
  bytes: number;
}
interface Coder {
  recorded?: Recorded;
  outSeqno: number;
  inSeqno: number;
  encrypt(packet: Buffer): void;
}
interface CoderConfig {
  outbound: {
    cipherKey: Buffer;
    cipherIV: Buffer;
    macKey?: Buffer;
    macInfo?: MacInfo;
    forceNative?: boolean;
  };
  inbound: {
    decipherKey: Buffer;
    decipherIV: Buffer;
    macKey?: Buffer;
    macInfo?: MacInfo;
    forceNative?: boolean;
  };
}
interface Protocol {
  _cipher: Coder;
  _decipher: Coder;
  _strictMode: boolean;
  _kexinit: unknown;
  _queue: unknown;
  _kex: { sessionID: Buffer; negotiated: { kex: string; serverHostKey: string } };
  _identRaw: Buffer | string;
  _remoteIdentRaw: Buffer | string;
  parse: (chunk: Buffer, start: number, end: number) => void;
}

const require = createRequire(import.meta.url);
const coders = require("ssh2/lib/protocol/crypto.js") as {
  createCipher(config: CoderConfig): Coder;
  createDecipher(config: CoderConfig): Coder;
};
const { createCipher, createDecipher } = coders;
/** Told of each message that leaves, with the coder that takes it. */
const watchers = new Set<(coder: Coder, payload: Buffer) => void>();
const copy = (bytes: Buffer | undefined) => (bytes ? Buffer.from(bytes) : null);

coders.createCipher = (config) => {
  const { outbound } = config;
  const recorded = {
    key: Buffer.from(outbound.cipherKey),
    iv: Buffer.from(outbound.cipherIV),
    macKey: copy(outbound.macKey),
    packets: 0,
    bytes: 0,
  };
  outbound.forceNative = true;
  const coder = createCipher(config);
  coder.recorded = recorded;
  const { encrypt } = coder;
  coder.encrypt = function (packet) {
    recorded.packets++;
    recorded.bytes += packet.readUInt32BE(0);
    const payload = Buffer.from(packet.subarray(5));
    encrypt.call(this, packet);
    for (const watcher of watchers) watcher(coder, payload);
  };
  return coder;
};
coders.createDecipher = (config) => {
  const { inbound } = config;
  const recorded = {
    key: Buffer.from(inbound.decipherKey),
    iv: Buffer.from(inbound.decipherIV),
    macKey: copy(inbound.macKey),
    packets: 0,
    bytes: 0,
  };
  inbound.forceNative = true;
  const coder = createDecipher(config);
  coder.recorded = recorded;
  return coder;
};
const { Client } = require("ssh2") as { Client: new () => Ssh2Client };

/** Adds to the big-endian counter that stands in iv from `start` on. */
function advanced(iv: Buffer, start: number, by: number): Buffer {
  const out = Buffer.from(iv);
  let carry = BigInt(by);
  for (let i = out.length - 1; i >= start && carry > 0n; i--) {
    carry += BigInt(out[i]!);
    out[i] = Number(carry & 255n);
    carry >>= 8n;
  }
  return out;
}

/** Whether a USERAUTH_REQUEST is the one that counts: signed, or with a password. */
function isLogin(payload: Buffer): boolean {
  if (payload[0] !== 50) return false;
  let at = 1;
  const text = () => {
    const length = payload.readUInt32BE(at);
    at += 4 + length;
    return payload.toString("latin1", at - length, at);
  };
  text();
  text();
  return text() === "password" || payload[at] === 1;
}

export interface ExportOptions {
  readonly port: number;
  readonly username: string;
  readonly privateKey?: string;
  readonly password?: string;
  readonly cipher: HandoffCipher;
  readonly mac?: HandoffMac;
  readonly phase: SessionState["phase"];
  readonly kex?: string;
  readonly hostKeyAlgorithm?: string;
  /** Milliseconds that the session stays here, unread, once its state is fixed: what comes meanwhile is replayed */
  readonly lingerMs?: number;
  /** Doesn't offer strict key exchange */
  readonly lenient?: boolean;
}

export interface Exported {
  readonly socket: net.Socket;
  readonly replay: Buffer;
  readonly state: SessionState;
}

export function exportSession(options: ExportOptions): Promise<Exported> {
  const mac = options.mac ?? "hmac-sha2-256-etm@openssh.com";
  const gcm = options.cipher.includes("gcm");
  const sealedLength = !gcm && !mac.includes("etm");
  const tag = gcm ? 16 : mac.includes("512") ? 64 : 32;
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: "127.0.0.1", port: options.port, noDelay: true });
    const client = new Client();
    let handed = false;
    let rest = Buffer.alloc(0);
    let consumed = 0;
    let sawIdent = false;
    let hostKey = Buffer.alloc(0);
    const pipe = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        if (handed) return done(new Error("ssh2 wrote after the hand-off"));
        socket.write(chunk, () => {});
        done();
      },
      final(done) {
        if (!handed) socket.end();
        done();
      },
    });
    const onData = (chunk: Buffer) => {
      if (handed) rest = Buffer.concat([rest, chunk]);
      else pipe.push(chunk);
    };
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.on("data", onData).on("error", fail);
    client.on("error", fail);

    const [key, kex] = [options.hostKeyAlgorithm ?? "ssh-ed25519", options.kex ?? "curve25519-sha256"];
    const config = {
      sock: pipe,
      username: options.username,
      authHandler: [
        options.password === undefined
          ? { type: "publickey", username: options.username, key: options.privateKey }
          : { type: "password", username: options.username, password: options.password },
      ],
      algorithms: {
        cipher: [options.cipher],
        hmac: [mac],
        compress: ["none"],
        serverHostKey: [key],
        kex: [kex],
      },
      readyTimeout: 0,
      hostVerifier: (offered: Buffer) => {
        hostKey = Buffer.from(offered);
        return true;
      },
    };
    client.connect(config as unknown as ConnectConfig);
    const protocol = (client as unknown as { _protocol: Protocol })._protocol;
    if (options.lenient) {
      const { KexInit } = require("ssh2/lib/protocol/kex.js") as { KexInit: new (lists: object) => object };
      const both = { cipher: [options.cipher], mac: [mac], compress: ["none"], lang: [] };
      const lenient = protocol as unknown as { _offer: object; _strictMode: boolean };
      lenient._strictMode = false;
      lenient._offer = new KexInit({ kex: [kex], serverHostKey: [key], cs: both, sc: both });
    }

    const direction = (coder: Coder, sequence: number): DirectionState => {
      const { iv, packets, bytes, key: cipherKey, macKey } = coder.recorded!;
      return {
        cipher: options.cipher,
        key: cipherKey,
        iv: gcm ? advanced(iv, 4, packets) : advanced(iv, 0, (bytes + (sealedLength ? 4 * packets : 0)) / 16),
        mac: gcm ? null : mac,
        macKey: gcm ? null : macKey,
        sequence,
        bytes,
      };
    };
    const take = () => {
      if (handed) return;
      if (protocol._kexinit !== undefined || protocol._queue) return fail(new Error("in a key exchange"));
      handed = true;
      watchers.delete(watch);
      const ident = (raw: Buffer | string) => Buffer.from(raw.toString("latin1"), "latin1");
      const state: SessionState = {
        version: 1,
        outbound: direction(protocol._cipher, protocol._cipher.outSeqno),
        inbound: direction(protocol._decipher, protocol._decipher.inSeqno),
        rekey: {
          sessionId: Buffer.from(protocol._kex.sessionID),
          clientIdent: ident(protocol._identRaw),
          serverIdent: ident(protocol._remoteIdentRaw),
          hostKey,
          kex,
          hostKeyAlgorithm: key,
          strict: protocol._strictMode,
        },
        consumed,
        phase: options.phase,
      };
      setTimeout(() => {
        socket.off("data", onData).off("error", fail);
        socket.pause();
        resolve({ socket, replay: rest, state });
      }, options.lingerMs ?? 0);
    };
    const watch = (coder: Coder, payload: Buffer) => {
      if (coder === protocol._cipher && options.phase === "authenticating" && isLogin(payload))
        process.nextTick(take);
    };
    watchers.add(watch);
    if (options.phase === "authenticated") client.on("ready", take);

    // ssh2 gets whole packets only, so that it never holds a part of one
    let { parse } = protocol;
    Object.defineProperty(protocol, "parse", {
      set: (next: Protocol["parse"]) => {
        parse = next;
      },
      get: () => frame,
    });
    /** Where the length is encrypted, the packet's first block tells it. */
    function firstBlock({ key: cipherKey, iv, packets, bytes }: Recorded, from: Buffer): Buffer {
      const at = advanced(iv, 0, (bytes + 4 * packets) / 16);
      const stream: Decipher = createDecipheriv(`aes-${cipherKey.length * 8}-ctr`, cipherKey, at);
      return stream.update(from.subarray(0, 16));
    }
    function frame(chunk: Buffer, start: number, end: number): void {
      rest = Buffer.concat([rest, chunk.subarray(start, end)]);
      while (!handed) {
        const recorded = protocol._decipher?.recorded;
        let size: number;
        let length = 0;
        const first = recorded && sealedLength ? 16 : 4;
        if (!sawIdent) {
          size = rest.indexOf(10) + 1;
          if (size === 0) return;
          sawIdent = rest.toString("latin1", 0, 4) === "SSH-";
        } else {
          if (rest.length < first) return;
          length = (first === 4 ? rest : firstBlock(recorded!, rest)).readUInt32BE(0);
          size = 4 + length + (recorded ? tag : 0);
        }
        if (rest.length < size) return;
        const packet = Buffer.from(rest.subarray(0, size));
        rest = rest.subarray(size);
        consumed += size;
        if (recorded) {
          recorded.packets++;
          recorded.bytes += length;
        }
        parse.call(protocol, packet, 0, size);
      }
    }
  });
}
