/** A canary for each private field of ssh2 that transport/ssh leans on: a new version must not change one unseen. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { dial } from "../../../transport/ssh/dial.js";
import { KeyRing } from "../../../transport/ssh/keys.js";
import { nextIv } from "../../../transport/ssh/library.js";
import { dialSocket } from "../../../transport/ssh/tcp.js";
import { type LibraryServer, libraryTarget, startLibrary } from "../../support/ssh2-server.js";

const require = createRequire(import.meta.url);
const VERSION = "1.17.0";
// biome-ignore lint/suspicious/noExplicitAny: these are the fields that no type tells of
type Anything = any;

it(`ssh2 is ${VERSION}, and nothing but that is asked for`, () => {
  const own = JSON.parse(readFileSync(require.resolve("../../../package.json"), "utf8"));
  expect(own.dependencies.ssh2).toBe(VERSION);
  expect(require("ssh2/package.json").version).toBe(VERSION);
});

describe("ssh2's private fields", () => {
  let server: LibraryServer;
  let dialled: Awaited<ReturnType<typeof dial>>;
  let protocol: Anything;
  beforeAll(async () => {
    server = await startLibrary({ ident: "canary" });
    dialled = await dial(() => dialSocket(server.address, server.port, 5000), libraryTarget(server), {
      early: { kexinit: false, share: false },
      pipelined: false,
      preferred: undefined,
      ring: new KeyRing(),
      prompter: undefined,
      signal: undefined,
    });
    protocol = (dialled.connection.core.client as Anything)._protocol;
  });
  afterAll(async () => {
    await server.stop();
  });

  it("_identRaw and _remoteIdentRaw are the identifications without CR LF", () => {
    expect(String(protocol._identRaw)).toMatch(/^SSH-2\.0-ssh2js1\.17\.0$/);
    expect(String(protocol._remoteIdentRaw)).toBe("SSH-2.0-canary");
  });

  it("_kex has the session id and what was agreed on", () => {
    expect(Buffer.isBuffer(protocol._kex.sessionID)).toBe(true);
    expect(protocol._kex.sessionID).toHaveLength(32);
    expect(protocol._kex.negotiated).toMatchObject({
      kex: "curve25519-sha256",
      serverHostKey: "rsa-sha2-256",
      cs: { cipher: "aes128-gcm@openssh.com" },
      sc: { cipher: "aes128-gcm@openssh.com" },
    });
  });

  it("_strictMode tells of strict key exchange", () => {
    expect(protocol._strictMode).toBe(true);
  });

  it("_destruct is there while the client lives", () => {
    expect(protocol._destruct).toBeTypeOf("function");
    expect(dialled.connection.core.dead).toBe(false);
  });

  it("_cipher and _decipher are Node's own, not those of the optional addon", () => {
    expect(protocol._cipher.constructor.name).toBe("AESGCMCipherNative");
    expect(protocol._decipher.constructor.name).toBe("AESGCMDecipherNative");
  });

  it("_cipher.outSeqno and the noted counters go up by one a packet", () => {
    const before = dialled.connection.core.state().outbound;
    const [packets, iv] = [before.record.packets, nextIv(before.record)];
    protocol.ping();
    const { record, sequence } = dialled.connection.core.state().outbound;
    expect(sequence).toBe(before.sequence + 1);
    expect(sequence).toBe(protocol._cipher.outSeqno);
    expect(record.packets).toBe(packets + 1);
    expect(nextIv(record).readBigUInt64BE(4)).toBe(iv.readBigUInt64BE(4) + 1n);
  });

  it("_decipher.inSeqno and the noted counters go up by one a packet", async () => {
    const { sequence, record } = dialled.connection.core.state().inbound;
    const { packets } = record;
    await new Promise(
      (resolve) => (dialled.connection.core.client as Anything)._callbacks.push(resolve) && protocol.ping(),
    );
    const after = dialled.connection.core.state().inbound;
    expect(after.sequence - sequence).toBe(after.record.packets - packets);
    expect(after.sequence).toBe(protocol._decipher.inSeqno);
    expect(after.sequence).toBeGreaterThan(sequence);
  });

  it("_packetRW.write makes a packet with room for its head", () => {
    const { write } = protocol._packetRW;
    expect(write.allocStartKEX).toBe(5);
    const packet = write.alloc(3, true);
    packet.set([2, 3, 4], write.allocStartKEX);
    const whole = write.finalize(packet, true);
    expect(whole.subarray(5, 8)).toEqual(Buffer.of(2, 3, 4));
    expect(write.allocStart).toBe(5);
    const ordinary = write.alloc(3);
    ordinary.set([2, 3, 4], write.allocStart);
    expect(write.finalize(ordinary).subarray(5, 8)).toEqual(Buffer.of(2, 3, 4));
  });

  it("_authsQueue has the login requests that wait for an answer", () => {
    const cipher = protocol._cipher;
    const { encrypt } = cipher;
    const sent: Buffer[] = [];
    cipher.encrypt = (packet: Buffer) => sent.push(packet);
    dialled.connection.core.queryKey("ssh-ed25519", Buffer.alloc(51));
    cipher.encrypt = encrypt;
    expect(sent).toHaveLength(1);
    expect(protocol._authsQueue.pop()).toBe("publickey");
  });

  it("_handlers has every message that is watched", () => {
    for (const name of [
      "SERVICE_ACCEPT",
      "USERAUTH_SUCCESS",
      "USERAUTH_FAILURE",
      "USERAUTH_PASSWD_CHANGEREQ",
      "USERAUTH_PK_OK",
      "USERAUTH_INFO_REQUEST",
      "CHANNEL_OPEN_CONFIRMATION",
      "CHANNEL_OPEN_FAILURE",
      "CHANNEL_WINDOW_ADJUST",
      "CHANNEL_SUCCESS",
      "CHANNEL_FAILURE",
    ])
      expect(protocol._handlers[name], name).toBeTypeOf("function");
    for (const name of ["authNone", "authPassword", "authKeyboard", "authInfoRes", "rekey", "parse"])
      expect(protocol[name], name).toBeTypeOf("function");
  });

  it("_kexinit and _queue are there during a key exchange only, and no state is given out then", async () => {
    const { connection } = dialled;
    expect(connection.core.exchanging).toBe(false);
    const session = Buffer.from(protocol._kex.sessionID);
    const before = connection.core.state().outbound.record.key;
    const renewed = connection.rekey();
    await new Promise(process.nextTick);
    expect(Buffer.isBuffer(protocol._kexinit)).toBe(true);
    expect(connection.core.exchanging).toBe(true);
    expect(() => connection.core.state()).toThrow();
    protocol.ping();
    expect(protocol._queue).toHaveLength(1);
    await renewed;
    expect([protocol._kexinit, protocol._queue]).toEqual([undefined, undefined]);
    const { outbound, inbound, sessionId } = connection.core.state();
    expect(outbound.record.key.equals(before)).toBe(false);
    expect(sessionId.equals(session)).toBe(true);
    // Strict key exchange begins to count anew
    expect(outbound.sequence).toBe(outbound.record.packets);
    expect(inbound.sequence).toBe(inbound.record.packets);
  });

  it("_destruct is gone when the client is", async () => {
    dialled.connection.close();
    await vi.waitFor(() => expect(protocol._destruct).toBeUndefined());
    expect(dialled.connection.core.dead).toBe(true);
  });
});
