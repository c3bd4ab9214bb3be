import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adoptSession } from "../../../relay/session/adopt.js";
import { until } from "../../support/alive.js";
import { type RealServer, type RealServerOptions, sshdMissing, startSshd } from "../../support/real-sshd.js";
import { digestOf, echoes, exported, handedOver, noise, runCommand } from "../../support/session-load.js";
import { targetOf } from "../../support/ssh-target.js";

const BYTES = 200e6;
const CIPHERS = [
  ["aes128-gcm@openssh.com", undefined],
  ["aes256-gcm@openssh.com", undefined],
  ["aes128-ctr", "hmac-sha2-256-etm@openssh.com"],
  ["aes192-ctr", "hmac-sha2-256-etm@openssh.com"],
  ["aes256-ctr", "hmac-sha2-512-etm@openssh.com"],
  ["aes128-ctr", "hmac-sha2-256"],
  ["aes256-ctr", "hmac-sha2-512"],
] as const;

describe.skipIf(sshdMissing)("a session handed over at OpenSSH", () => {
  let server: RealServer;
  beforeAll(async () => {
    server = await startSshd();
  });
  afterAll(() => server?.stop());

  it.each(["authenticated", "authenticating"] as const)(
    "runs commands one after another (%s)",
    async (phase) => {
      const session = await handedOver(server, { phase });
      const first = await runCommand(session, "cat; echo over >&2; exit 3", [Buffer.from("hello")]);
      expect(first).toMatchObject({ code: 3, signal: undefined, stderr: "over\n" });
      expect(first.output.toString()).toBe("hello");
      expect(await runCommand(session, "kill -TERM $$")).toMatchObject({ code: undefined, signal: "TERM" });
      const both = await Promise.all(["echo a", "echo b"].map((command) => runCommand(session, command)));
      expect(both.map(({ output }) => output.toString())).toEqual(["a\n", "b\n"]);
      session.close();
      expect(await session.closed).toBeUndefined();
    },
  );

  it.each(CIPHERS)("carries data unaltered under %s %s", async (cipher, mac) => {
    const lines = [`Ciphers ${cipher}`, `MACs ${mac ?? "hmac-sha2-256-etm@openssh.com"}`];
    const other = await startSshd({ lines });
    try {
      const { pipe, replay, state } = await exported(targetOf(other));
      const expected = { cipher, mac: mac ?? null };
      expect(state).toMatchObject({ outbound: expected, inbound: expected });
      const session = adoptSession(pipe, replay, state, { name: "lab" });
      await echoes(session, 2e6);
      session.close();
    } finally {
      await other.stop();
    }
  });

  it(`carries ${BYTES / 1e6} MB up unaltered`, { timeout: 300_000 }, async () => {
    const session = await handedOver(server);
    const { output, code } = await runCommand(session, "sha256sum", noise(BYTES));
    expect([code, output.toString()]).toEqual([0, `${digestOf(noise(BYTES))}  -\n`]);
    session.close();
  });

  it(`carries ${BYTES / 1e6} MB both ways at once unaltered`, { timeout: 300_000 }, async () => {
    const session = await handedOver(server);
    await echoes(session, BYTES);
    session.close();
  });

  it("refuses a key that the server doesn't know with AUTH_REFUSED, naming what it takes", async () => {
    const other = await startSshd({ userKeys: [{ kind: "ed25519", refused: true }] });
    const session = await handedOver(other);
    await expect(session.authenticated).rejects.toMatchObject({
      code: "AUTH_REFUSED",
      message: "lab: the server refused the login (it takes publickey)",
    });
    expect((await session.closed)?.code).toBe("AUTH_REFUSED");
    await other.stop();
  });
});

describe.skipIf(sshdMissing)("a handed-over session renews its keys", () => {
  const servers: RealServer[] = [];
  afterAll(async () => {
    for (const server of servers) await server.stop();
  });
  const start = async (options: RealServerOptions) => {
    const server = await startSshd(options);
    servers.push(server);
    return server;
  };

  /** Its log may come behind the bytes: a child of sshd's has its parent write it. */
  const manyExchanges = (server: RealServer) =>
    until("ten key exchanges", () => server.log().split("SSH2_MSG_KEXINIT received").length - 1 > 9);

  it.each([
    ["ed25519", "ssh-ed25519", "curve25519-sha256"],
    ["ecdsa:256", "ecdsa-sha2-nistp256", "ecdh-sha2-nistp256"],
    ["ecdsa:384", "ecdsa-sha2-nistp384", "ecdh-sha2-nistp384"],
    ["ecdsa:521", "ecdsa-sha2-nistp521", "ecdh-sha2-nistp521"],
    ["rsa:2048", "rsa-sha2-256", "curve25519-sha256@libssh.org"],
    ["rsa:3072", "rsa-sha2-512", "curve25519-sha256"],
  ])("where the server asks for it each MB, host key %s (%s, %s)", async (hostKey, hostKeyAlgorithm, kex) => {
    const server = await start({
      hostKeys: [hostKey],
      lines: [
        "RekeyLimit 1M",
        "LogLevel DEBUG1",
        `HostKeyAlgorithms ${hostKeyAlgorithm}`,
        `KexAlgorithms ${kex}`,
      ],
    });
    const { pipe, replay, state } = await exported(targetOf(server), { phase: "authenticated" });
    expect(state.rekey).toMatchObject({ hostKeyAlgorithm, kex, strict: true });
    const session = adoptSession(pipe, replay, state, { name: "lab" });
    await echoes(session, 10e6);
    await manyExchanges(server);
    session.close();
    expect(await session.closed).toBeUndefined();
  });

  it("where both sides ask for it", async () => {
    const server = await start({ lines: ["RekeyLimit 1M"] });
    const session = await handedOver(server, { adopt: { rekeyBytes: 700_000 } });
    await Promise.all([1, 2, 3].map((seed) => echoes(session, 5e6, seed)));
    session.close();
  });

  it("where only this side asks for it", async () => {
    const server = await start({ lines: ["LogLevel DEBUG1"] });
    const session = await handedOver(server, { adopt: { rekeyBytes: 100_000 } });
    await echoes(session, 5e6);
    await manyExchanges(server);
    session.close();
  });
});

if (sshdMissing) it.skip(`OpenSSH: ${sshdMissing}`, () => {});
