/**
 * ssh2 as we load it: coders that note their keys. The one other module that knows of its inner parts is internals.ts.
 */
import { createRequire } from "node:module";
import path from "node:path";
import type { Client, ParsedKey } from "ssh2";
import { advance } from "./counters.js";

/** One direction's keys as ssh2 got them from a key exchange, and what has passed under them since. */
export interface CoderRecord {
  /** OpenSSL's name, "aes-128-gcm" */
  readonly cipher: string;
  readonly key: Buffer;
  readonly firstIv: Buffer;
  /** undefined with GCM */
  readonly mac:
    | { readonly name: string; readonly etm: boolean; readonly length: number; readonly key: Buffer }
    | undefined;
  packets: number;
  /** Bytes that went through the cipher */
  bytes: number;
}

export interface Coder {
  outSeqno: number;
  inSeqno: number;
  encrypt(packet: Buffer): void;
}
interface MacInfo {
  readonly sslName: string;
  readonly isETM: boolean;
  readonly actualLen: number;
}
interface CoderConfig {
  outbound: {
    cipherInfo: { sslName: string };
    cipherKey: Buffer;
    cipherIV: Buffer;
    macInfo?: MacInfo;
    macKey?: Buffer;
    forceNative?: boolean;
  };
  inbound: {
    decipherInfo: { sslName: string };
    decipherKey: Buffer;
    decipherIV: Buffer;
    macInfo?: MacInfo;
    macKey?: Buffer;
    forceNative?: boolean;
  };
}

interface Library {
  readonly Client: new () => Client;
  readonly parseKey: (data: Buffer | string, passphrase?: string) => ParsedKey | ParsedKey[] | Error;
  readonly records: WeakMap<Coder, CoderRecord>;
}

/**
 * A private copy of ssh2: its coders note their keys, and its optional native ciphers are off, since those hide their
 * state. Others in this process keep the ordinary copy. kex.js takes the coders by value: they are replaced first.
 */
function loadLibrary(): Library {
  const require = createRequire(import.meta.url);
  const root = path.dirname(require.resolve("ssh2/package.json"));
  const ours = () => Object.keys(require.cache).filter((file) => file.startsWith(root + path.sep));
  const shared = ours().map((file) => [file, require.cache[file]] as const);
  for (const [file] of shared) delete require.cache[file];
  try {
    const records = new WeakMap<Coder, CoderRecord>();
    const coders = require("ssh2/lib/protocol/crypto.js") as {
      createCipher(config: CoderConfig): Coder;
      createDecipher(config: CoderConfig): Coder;
    };
    const { createCipher, createDecipher } = coders;
    const record = (
      cipher: string,
      key: Buffer,
      iv: Buffer,
      mac: MacInfo | undefined,
      macKey: Buffer | undefined,
    ) => ({
      cipher,
      key: Buffer.from(key),
      // ssh2 counts up the IV in place
      firstIv: Buffer.from(iv),
      mac: mac && { name: mac.sslName, etm: mac.isETM, length: mac.actualLen, key: Buffer.from(macKey!) },
      packets: 0,
      bytes: 0,
    });
    coders.createCipher = (config) => {
      const { outbound } = config;
      outbound.forceNative = true;
      const { cipherInfo, cipherKey, cipherIV, macInfo, macKey } = outbound;
      const noted = record(cipherInfo.sslName, cipherKey, cipherIV, macInfo, macKey);
      const coder = createCipher(config);
      const encrypt = coder.encrypt.bind(coder);
      coder.encrypt = (packet) => {
        count(noted, packet.readUInt32BE(0));
        encrypt(packet);
      };
      records.set(coder, noted);
      return coder;
    };
    coders.createDecipher = (config) => {
      const { inbound } = config;
      inbound.forceNative = true;
      const { decipherInfo, decipherKey, decipherIV, macInfo, macKey } = inbound;
      const coder = createDecipher(config);
      records.set(coder, record(decipherInfo.sslName, decipherKey, decipherIV, macInfo, macKey));
      return coder;
    };
    const { parseKey } = require("ssh2/lib/protocol/keyParser.js") as Pick<Library, "parseKey">;
    return { Client: require("ssh2/lib/client.js") as Library["Client"], parseKey, records };
  } finally {
    for (const file of ours()) delete require.cache[file];
    for (const [file, module] of shared) require.cache[file] = module;
  }
}

/** Whether the cipher is its own MAC */
export const gcm = (record: CoderRecord) => record.mac === undefined;

/** Notes one packet; with MACs that aren't ETM the length field is encrypted too. */
export function count(record: CoderRecord, length: number): void {
  record.packets++;
  record.bytes += gcm(record) || record.mac?.etm ? length : length + 4;
}

/** The IV or counter block of the next packet. */
export const nextIv = (record: CoderRecord): Buffer =>
  gcm(record) ? advance(record.firstIv, 4, record.packets) : advance(record.firstIv, 0, record.bytes / 16);

export const library = loadLibrary();
export const parseKey = library.parseKey;
