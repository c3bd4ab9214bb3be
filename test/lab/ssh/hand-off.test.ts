import { once } from "node:events";
import { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import type { Connection } from "ssh2";
import { afterEach, describe, expect, it, vi } from "vitest";
import { adoptSession } from "../../../relay/session/adopt.js";
import { createLogin } from "../../../transport/ssh/login.js";
import { dialSocket } from "../../../transport/ssh/tcp.js";
import type { LoginPace, Target } from "../../../transport/ssh/types.js";
import { echoes, exported } from "../../support/session-load.js";
import {
  type LibraryOptions,
  type LibraryServer,
  libraryTarget,
  startLibrary,
} from "../../support/ssh2-server.js";

let server: LibraryServer;
afterEach(() => server?.stop());
const silent = () => {};

const open = async (options: LibraryOptions = {}, more: Partial<Target> = {}, pace: LoginPace = "plain") => {
  server = await startLibrary(options);
  const pipe = () => dialSocket(server.address, server.port, 5000);
  return createLogin()(pipe, libraryTarget(server, more), { pace });
};
const takesPassword: LibraryOptions = {
  authenticate(context) {
    if (context.method === "password" && context.password === "secret") context.accept();
    else context.reject(["password"]);
  },
};

describe("a session that is handed off", () => {
  it.each(["aes128-gcm@openssh.com", "aes128-ctr"] as const)(
    "has new keys where a password crossed it (%s)",
    async (cipher) => {
      server = await startLibrary({ ...takesPassword, algorithms: { cipher: [cipher] } });
      const target = libraryTarget(server, { identityFiles: [], password: "secret" });
      const { pipe, replay, state } = await exported(target, { phase: "authenticated" });
      expect(state.phase).toBe("authenticated");
      // Nothing was said yet under the keys that are given away
      expect([state.outbound.bytes, state.outbound.sequence]).toEqual([0, 0]);
      const session = adoptSession(pipe, replay, state, { name: "lab", rekeyBytes: 200_000 });
      await vi.waitFor(() => expect(server.renewals).toBe(1));
      await echoes(session, 1e6);
      expect(server.renewals).toBeGreaterThan(2);
      session.close();
    },
  );

  it("keeps its keys where only a signature crossed it", async () => {
    server = await startLibrary({});
    const { pipe, state } = await exported(libraryTarget(server), { phase: "authenticated" });
    expect(server.renewals).toBe(0);
    expect(state.outbound.bytes).toBeGreaterThan(0);
    pipe.destroy();
  });

  it("belongs to nobody here any more", async () => {
    const session = await open();
    await session.handOff();
    await expect(session.exec("echo", silent)).rejects.toMatchObject({ code: "SSH_DISCONNECTED" });
    await expect(session.handOff()).rejects.toMatchObject({ code: "SSH_DISCONNECTED" });
    expect(await session.closed).toBeUndefined();
    session.close();
  });

  it("is none where the server ended it in one breath with the keys that were waited for", async () => {
    let client: Connection | undefined;
    server = await startLibrary({
      onConnection(one) {
        client = one;
      },
    });
    let held: Buffer[] | undefined;
    const gate = async () => {
      const socket = await dialSocket(server.address, server.port, 5000);
      const pipe = new Duplex({
        read() {},
        write: (chunk, _encoding, done) => void socket.write(chunk, () => done()),
      });
      socket.on("data", (chunk: Buffer) => (held ? held.push(chunk) : pipe.push(chunk)));
      return { pipe, socket };
    };
    const { pipe, socket } = await gate();
    const session = await createLogin()(async () => pipe, libraryTarget(server), { pace: "plain" });
    await session.authenticated;
    socket.once("data", () => {
      held = [];
    });
    client!.rekey();
    await vi.waitFor(() => expect(held?.length).toBeGreaterThan(0));
    const taken = session.handOff();
    taken.catch(() => {});
    client!.end();
    await once(socket, "end");
    pipe.push(Buffer.concat(held!));
    // ssh2's server says so under the keys before, which is the end of it all the same
    await expect(taken).rejects.toThrow(/^library: SSH failed in mid-session: /);
    expect(await session.closed).toBe(await taken.catch((error: unknown) => error));
    pipe.destroy();
    socket.destroy();
  });

  it.each([
    ["a key exchange that no relay can renew", { algorithms: { kex: ["diffie-hellman-group14-sha256"] } }],
    ["a channel open in it", {}],
  ] satisfies [string, LibraryOptions][])(
    "is refused with HANDOFF_IMPOSSIBLE with %s, and stays usable",
    async (why, options) => {
      const session = await open(options);
      const pipe = why.startsWith("a channel") ? await session.exec("echo", silent) : undefined;
      const refused = session.handOff();
      await expect(refused).rejects.toMatchObject({ code: "HANDOFF_IMPOSSIBLE" });
      await expect(refused).rejects.toThrow(/^the session with library can't be handed over: /);
      expect(await text((pipe ?? (await session.exec("echo", silent))).end("still here"))).toBe("still here");
      session.close();
    },
  );
});

describe("a login", () => {
  it.each([
    ["ssh-rsa host keys with SHA-1", { serverHostKey: ["ssh-rsa"] }],
    ["CBC", { cipher: ["aes128-cbc"] }],
    ["ChaCha20", { cipher: ["chacha20-poly1305@openssh.com"] }],
    ["SHA-1 MACs", { cipher: ["aes128-ctr"], hmac: ["hmac-sha1"] }],
    ["SHA-1 key exchange", { kex: ["diffie-hellman-group14-sha1"] }],
  ])("is refused with SSH_PROTOCOL by us where a server has nothing but %s", async (_name, algorithms) => {
    const login = open({ algorithms: algorithms as NonNullable<LibraryOptions["algorithms"]> });
    await expect(login).rejects.toMatchObject({ code: "SSH_PROTOCOL" });
    await expect(login).rejects.toThrow(/^library: SSH failed during the key exchange: /);
    expect(server.requests).toEqual([]);
  });
});
