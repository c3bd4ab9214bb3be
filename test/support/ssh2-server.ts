/** ssh2's own server on a loopback port: for logins and oddities that the real servers don't have. */
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import ssh2, { type AuthContext, type Connection, type ServerConfig } from "ssh2";
import type { Target } from "../../transport/ssh/types.js";

export interface LibraryOptions {
  readonly algorithms?: ServerConfig["algorithms"];
  /** Software part of the identification */
  readonly ident?: string;
  /** Decides on each request; default: everything is accepted */
  readonly authenticate?: (context: AuthContext) => void;
  /** Number that the first channel gets */
  readonly firstChannel?: number;
  readonly refuseSessions?: boolean;
  /** Called with each connection before its login */
  readonly onConnection?: (client: Connection) => void;
  /** Doesn't know of strict key exchange */
  readonly lenient?: boolean;
  /** Asks for new keys each time when this many bytes of commands' input have come */
  readonly rekeyBytes?: number;
  /** PEM of the host key; default: a new RSA key */
  readonly hostKey?: string;
}

export interface LibraryServer {
  readonly address: "127.0.0.1";
  readonly port: number;
  readonly folder: string;
  /** Requests so far, "publickey" or "publickey signed", with the algorithm */
  readonly requests: readonly string[];
  /** Key exchanges that this side asked for */
  readonly rekeys: number;
  /** Key exchanges behind a session's first, whoever asked for them */
  readonly renewals: number;
  stop(): Promise<void>;
}

/** Serves sessions whose command is `cat`, whatever it is called. */
export async function startLibrary(options: LibraryOptions): Promise<LibraryServer> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "mop-ssh2-"));
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  const key = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "sec1", format: "pem" },
  });
  writeFileSync(path.join(folder, "key"), key.privateKey, { mode: 0o600 });
  const requests: string[] = [];
  let rekeys = 0;
  let renewals = 0;
  const sockets = new Set<net.Socket>();
  const connected = (client: Connection) => {
    client.on("error", () => {});
    options.onConnection?.(client);
    client.on("rekey", () => renewals++);
    if (options.firstChannel) (client as unknown as Numbering)._chanMgr._cur = options.firstChannel - 1;
    if (options.lenient) makeLenient(client);
    client.on("authentication", (context) => {
      const signed = context.method === "publickey" && context.signature ? " signed" : "";
      const algorithm = context.method === "publickey" ? ` ${context.key.algo}` : "";
      requests.push(`${context.method}${signed}${algorithm}`);
      if (options.authenticate) options.authenticate(context);
      else context.accept();
    });
    client.on("session", (accept, reject) => {
      if (options.refuseSessions) return reject();
      accept().on("exec", (acceptExec) => {
        const channel = acceptExec();
        channel.on("error", () => {});
        let bytes = 0;
        channel.on("data", (chunk: Buffer) => {
          if (!channel.write(chunk)) {
            channel.pause();
            channel.once("drain", () => channel.resume());
          }
          bytes += chunk.length;
          if (!options.rekeyBytes || bytes < options.rekeyBytes) return;
          bytes = 0;
          rekeys++;
          client.rekey();
        });
        channel.on("end", () => {
          channel.exit(0);
          channel.end();
        });
      });
    });
  };
  const server = new ssh2.Server(
    {
      hostKeys: [options.hostKey ?? privateKey],
      ...(options.algorithms ? { algorithms: options.algorithms } : {}),
      ...(options.ident ? { ident: options.ident } : {}),
    },
    connected,
  );
  const front = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("close", () => sockets.delete(socket));
    server.injectSocket(socket);
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  return {
    address: "127.0.0.1",
    port: (front.address() as net.AddressInfo).port,
    folder,
    requests,
    get renewals() {
      return renewals;
    },
    get rekeys() {
      return rekeys;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      front.close();
      await once(front, "close");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The server's own numbering of channels, which goes up from its last number. */
interface Numbering {
  readonly _chanMgr: { _cur: number };
}

interface Offer {
  readonly lists: { readonly kex: { readonly array: string[] } };
}

/** Takes strict key exchange out of what the server offers. */
function makeLenient(client: Connection): void {
  const { _protocol: protocol } = client as unknown as {
    _protocol: { _strictMode: boolean; _offer: Offer };
  };
  const require = createRequire(import.meta.url);
  const { KexInit } = require("ssh2/lib/protocol/kex.js") as { KexInit: new (lists: object) => Offer };
  const lists = protocol._offer.lists as unknown as Record<string, never>;
  const names = (list: { array: string[] }) => list.array.filter((name) => !name.includes("kex-strict"));
  const half = ({ cipher, mac }: { cipher: { array: string[] }; mac: { array: string[] } }) => ({
    cipher: names(cipher),
    mac: names(mac),
    compress: ["none"],
    lang: [],
  });
  const { kex, serverHostKey, cs, sc } = lists;
  protocol._strictMode = false;
  protocol._offer = new KexInit({
    kex: names(kex!),
    serverHostKey: names(serverHostKey!),
    cs: half(cs!),
    sc: half(sc!),
  });
}

/** The target that logs in to it, its host key not checked. */
export const libraryTarget = (server: LibraryServer, more: Partial<Target> = {}): Target => ({
  name: "library",
  address: server.address,
  port: server.port,
  user: "someone",
  identityFiles: [path.join(server.folder, "key")],
  identitiesOnly: true,
  knownHostsFiles: [],
  hostKeys: "off",
  connectTimeoutMs: 10_000,
  keepaliveMs: 0,
  ...more,
});
