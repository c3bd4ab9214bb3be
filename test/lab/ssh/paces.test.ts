import { performance } from "node:perf_hooks";
import { buffer, text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLogin } from "../../../transport/ssh/login.js";
import { dialSocket } from "../../../transport/ssh/tcp.js";
import type { LoginPace } from "../../../transport/ssh/types.js";
import { createDelayProxy } from "../../support/lab.js";
import {
  dropbearMissing,
  type RealServer,
  sshdMissing,
  startDropbear,
  startSshd,
} from "../../support/real-sshd.js";
import { commandOver, targetOf } from "../../support/ssh-target.js";
import { libraryTarget, startLibrary } from "../../support/ssh2-server.js";

const PACES = ["plain", "conformant", "eager"] as const;
const silent = () => {};
const pipeTo = (server: { readonly address: string; readonly port: number }) => () =>
  dialSocket(server.address, server.port, 5000);

/** Milliseconds from the dial to the last byte of `sent` that `cat` sends back; the link's delay is one way. */
async function lastEcho(server: RealServer, pace: LoginPace, delayMs: number, sent: Buffer): Promise<number> {
  const link = await createDelayProxy({
    target: { host: server.address, port: server.port },
    delayMs,
  });
  try {
    const started = performance.now();
    const open = () => dialSocket(link.host, link.port, 0);
    const session = await createLogin()(open, targetOf(server), { pace });
    const pipe = await session.exec("cat", silent);
    pipe.write(sent);
    const parts: Buffer[] = [];
    await new Promise<void>((resolve, reject) => {
      pipe.once("error", reject).on("data", (chunk: Buffer) => {
        parts.push(chunk);
        if (Buffer.concat(parts).length >= sent.length) resolve();
      });
    });
    const elapsed = performance.now() - started;
    expect(Buffer.concat(parts).equals(sent)).toBe(true);
    session.close();
    await session.closed;
    return elapsed;
  } finally {
    await link.close();
  }
}

/**
 * The slope of wall time over two delays: what the machine itself takes is the same in both. A busy machine only adds to
 * that, so each measurement goes on from the quickest of those before it.
 */
function roundTrips(server: RealServer, pace: LoginPace, sent = Buffer.from("x")): () => Promise<number> {
  const [short, long] = [15, 90];
  const least = new Map<number, number>();
  const best = async (delayMs: number) => {
    const echo = () => lastEcho(server, pace, delayMs, sent);
    const ms = Math.min(
      least.get(delayMs) ?? Number.POSITIVE_INFINITY,
      ...(await Promise.all([echo(), echo()])),
    );
    least.set(delayMs, ms);
    return ms;
  };
  return async () => {
    const quick = await best(short);
    return ((await best(long)) - quick) / (2 * (long - short));
  };
}

/** Measures until the claim holds: a few times at most. */
async function holds(claim: () => Promise<void>): Promise<void> {
  for (let round = 1; round < 5; round++) {
    try {
      return await claim();
    } catch {
      // Again, from the quickest so far
    }
  }
  await claim();
}

const servers = [
  ["OpenSSH", sshdMissing, startSshd],
  ["Dropbear", dropbearMissing, startDropbear],
] as const;

for (const [name, missing, start] of servers) {
  describe.skipIf(missing)(`${name}${missing ? ` (skipped: ${missing})` : ""}`, () => {
    let server: RealServer;
    beforeAll(async () => {
      server = await start();
    });
    afterAll(() => server?.stop());

    it("has a first byte back within 11 round trips plain, 8 conformant, 3 eager", {
      timeout: 60_000,
    }, async () => {
      const [plainly, conformantly, eagerly] = PACES.map((pace) => roundTrips(server, pace));
      await holds(async () => {
        const [plain, conformant, eager] = [await plainly!(), await conformantly!(), await eagerly!()];
        // One more than designed each, for what a busy machine adds
        expect(plain).toBeLessThan(12);
        expect(conformant).toBeLessThan(9);
        expect(eager).toBeLessThan(4);
        expect(plain - conformant).toBeGreaterThan(1.5);
        expect(conformant - eager).toBeGreaterThan(1);
      });
    });

    it("takes 60 kB behind an eager login without a round trip more, where its window is known to be large", {
      timeout: 60_000,
    }, async () => {
      const measured = roundTrips(server, "eager", Buffer.alloc(60_000, "0123456789abcdef!"));
      await holds(async () => {
        const trips = await measured();
        if (name === "OpenSSH") expect(trips).toBeLessThan(4);
        else expect(trips).toBeGreaterThan(3.5);
      });
    });

    it.each(PACES)("80 kB written at once behind an %s login arrive whole", async (pace) => {
      const session = await createLogin()(pipeTo(server), targetOf(server), { pace });
      const sent = Buffer.alloc(80_000, "0123456789abcdef!");
      const pipe = await session.exec("cat", silent);
      const over = commandOver(pipe);
      pipe.end(sent);
      expect((await buffer(pipe)).equals(sent)).toBe(true);
      await over;
      await session.authenticated;
      expect(await text((await session.exec("echo again", silent)).end())).toBe("again\n");
      session.close();
      expect(await session.closed).toBeUndefined();
    });

    it.each(PACES)(
      "a refused key fails an %s login with AUTH_REFUSED, and its command with it",
      async (pace) => {
        const other = await start({ userKeys: [{ kind: "ed25519", refused: true }] });
        try {
          const whole = async () => {
            const session = await createLogin()(pipeTo(other), targetOf(other), { pace });
            await session.authenticated;
          };
          await expect(whole()).rejects.toMatchObject({ code: "AUTH_REFUSED" });
          await expect(whole()).rejects.toThrow(/user0.*the server takes publickey/);
        } finally {
          await other.stop();
        }
      },
    );

    it("a pipelined login sends one key only; a plain one finds the right key, which is remembered", async () => {
      const other = await start({ userKeys: [{ kind: "ed25519", refused: true }, "ecdsa:256"] });
      try {
        const login = createLogin();
        const enter = async (pace: LoginPace) => {
          const session = await login(pipeTo(other), targetOf(other), { pace });
          await session.authenticated.finally(() => session.close());
        };
        await expect(enter("eager")).rejects.toThrow(/1 other key was not tried yet/);
        await enter("plain");
        await enter("eager");
        await enter("conformant");
      } finally {
        await other.stop();
      }
    });
  });
}

describe("a server that is neither OpenSSH nor Dropbear", () => {
  it("gets no guess of a channel's number from an eager login", async () => {
    const server = await startLibrary({});
    const session = await createLogin()(pipeTo(server), libraryTarget(server), { pace: "eager" });
    expect(await text((await session.exec("echo", silent)).end("there"))).toBe("there");
    session.close();
    await server.stop();
  });

  it("refuses the early key share of an eager login with SSH_PROTOCOL where it wants another exchange", async () => {
    const server = await startLibrary({ algorithms: { kex: ["ecdh-sha2-nistp256"] } });
    const login = createLogin();
    const eager = login(pipeTo(server), libraryTarget(server), { pace: "eager" });
    await expect(eager).rejects.toMatchObject({ code: "SSH_PROTOCOL" });
    await expect(eager).rejects.toThrow("ecdh-sha2-nistp256");
    for (const pace of ["conformant", "plain"] as const) {
      const session = await login(pipeTo(server), libraryTarget(server), { pace });
      expect(await text((await session.exec("echo", silent)).end("there"))).toBe("there");
      session.close();
    }
    await server.stop();
  });

  it("that counts channels from elsewhere although it calls itself OpenSSH fails an eager login with SSH_PROTOCOL", async () => {
    const server = await startLibrary({ ident: "OpenSSH_0.0", firstChannel: 42 });
    const session = await createLogin()(pipeTo(server), libraryTarget(server), { pace: "eager" });
    await session.exec("echo", silent).then((pipe) => pipe.on("error", () => {}));
    expect(await session.closed).toMatchObject({ code: "SSH_PROTOCOL" });
    await server.stop();
  });

  it("that refuses sessions fails an eager command with SSH_CHANNEL_REFUSED", async () => {
    const server = await startLibrary({ ident: "OpenSSH_0.0", refuseSessions: true });
    const session = await createLogin()(pipeTo(server), libraryTarget(server), { pace: "eager" });
    const pipe = await session.exec("echo", silent);
    const failure = new Promise((resolve) => pipe.once("error", resolve));
    expect(await failure).toMatchObject({ code: "SSH_CHANNEL_REFUSED" });
    const plain = await createLogin()(pipeTo(server), libraryTarget(server), { pace: "plain" });
    await expect(plain.exec("echo", silent)).rejects.toMatchObject({ code: "SSH_CHANNEL_REFUSED" });
    plain.close();
    await server.stop();
  });
});
