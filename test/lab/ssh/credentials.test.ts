import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createLogin } from "../../../transport/ssh/login.js";
import { dialSocket } from "../../../transport/ssh/tcp.js";
import type { LoginPace, Prompter, Target } from "../../../transport/ssh/types.js";
import { until } from "../../support/alive.js";
import { makeKey, type RealServer, sshdMissing, startSshd, type UserKey } from "../../support/real-sshd.js";
import { startAgent } from "../../support/ssh-agent.js";
import { targetOf } from "../../support/ssh-target.js";

const PACES = ["plain", "conformant", "eager"] as const;
const PASSPHRASE = "open sesame 1";

const cleanups: (() => Promise<void> | void)[] = [];
const start = async (userKeys: readonly (string | UserKey)[], lines: readonly string[] = []) => {
  const server = await startSshd({ userKeys, lines });
  cleanups.push(() => server.stop());
  return server;
};
const logIn = async (
  server: RealServer,
  more: Partial<Target> = {},
  pace: LoginPace = "plain",
  prompter?: Prompter,
  login = createLogin(),
) => {
  const open = () => dialSocket(server.address, server.port, 5000);
  const session = await login(open, targetOf(server, more), { pace, ...(prompter ? { prompter } : {}) });
  await session.authenticated.finally(() => session.close());
};
const message = (failing: Promise<unknown>) => failing.then(String, (error: Error) => error.message);
const answering = (passphrase: string | undefined) => {
  const asked: string[] = [];
  const prompter: Prompter = {
    async passphrase(keyFile) {
      asked.push(keyFile);
      return passphrase;
    },
    async password() {
      throw new Error("nobody was to be asked for a password");
    },
  };
  return { asked, prompter };
};
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

describe.skipIf(sshdMissing)(`keys from files${sshdMissing ? ` (skipped: ${sshdMissing})` : ""}`, () => {
  it.each(["ed25519", "ecdsa:256", "ecdsa:384", "ecdsa:521", "rsa:2048"])(
    "%s log in at every pace",
    async (kind) => {
      const server = await start([kind]);
      for (const pace of PACES) await logIn(server, {}, pace);
    },
  );

  it.each(["ecdsa:256", "rsa:2048"])("%s in PEM, and in PEM with a passphrase, log in", async (kind) => {
    const server = await start([kind]);
    const pem = path.join(server.folder, "pem");
    const convert = (file: string, passphrase: string) => {
      copyFileSync(server.identityFiles[0]!, file);
      chmodSync(file, 0o600);
      execFileSync("ssh-keygen", ["-q", "-p", "-m", "PEM", "-P", "", "-N", passphrase, "-f", file]);
    };
    convert(pem, "");
    await logIn(server, { identityFiles: [pem] }, "conformant");
    const locked = path.join(server.folder, "locked");
    convert(locked, PASSPHRASE);
    const { prompter, asked } = answering(PASSPHRASE);
    await logIn(server, { identityFiles: [locked] }, "plain", prompter);
    expect(asked).toEqual([locked]);
  });

  it("RSA keys sign with SHA-2 where a server refuses SHA-1", async () => {
    const server = await start(["rsa:2048"], ["PubkeyAcceptedAlgorithms rsa-sha2-256"]);
    for (const pace of PACES) await logIn(server, {}, pace);
  });

  it.each(["ed25519", "rsa:2048"])(
    "a passphrase of %s is asked for once, whatever the number of logins",
    async (kind) => {
      const server = await start([{ kind, passphrase: PASSPHRASE }]);
      const { asked, prompter } = answering(PASSPHRASE);
      const login = createLogin();
      for (const pace of ["plain", "eager", "conformant"] as const)
        await logIn(server, {}, pace, prompter, login);
      await Promise.all(PACES.map((pace) => logIn(server, {}, pace, prompter, login)));
      expect(asked).toEqual([server.identityFiles[0]]);
    },
  );

  it("a passphrase isn't asked for where the server doesn't want the key", async () => {
    const server = await start([{ kind: "ed25519", passphrase: PASSPHRASE, refused: true }, "ecdsa:256"]);
    const { asked, prompter } = answering(PASSPHRASE);
    await logIn(server, {}, "plain", prompter);
    expect(asked).toEqual([]);
  });

  it("a wrong passphrase is KEY_UNREADABLE, names the file and doesn't show what was typed", async () => {
    const server = await start([{ kind: "ed25519", passphrase: PASSPHRASE }]);
    const login = logIn(server, {}, "plain", answering("wrong words").prompter);
    await expect(login).rejects.toMatchObject({ code: "KEY_UNREADABLE" });
    const text = await message(login);
    expect(text).toContain(server.identityFiles[0]);
    expect(text).not.toContain("wrong words");
  });

  it("a wrong passphrase is asked for anew, three times; then the next key is tried", async () => {
    const server = await start([{ kind: "ed25519", passphrase: PASSPHRASE }, "ecdsa:256"]);
    const answers = ["wrong", PASSPHRASE];
    const again: (boolean | undefined)[] = [];
    const prompter: Prompter = {
      async passphrase(_file, repeated) {
        again.push(repeated);
        return answers.shift() ?? "wrong";
      },
      password: async () => undefined,
    };
    await logIn(server, { identityFiles: [server.identityFiles[0]!] }, "plain", prompter);
    expect(again).toEqual([false, true]);
    await logIn(server, {}, "plain", prompter);
    expect(again).toHaveLength(5);
    // sshd says so behind the answer
    await until("the login's line", () => /Accepted publickey .* ECDSA/.test(server.log()));
  });

  it("a passphrase that nobody gives is said in the refusal", async () => {
    const server = await start([{ kind: "ed25519", passphrase: PASSPHRASE }]);
    for (const prompter of [undefined, answering(undefined).prompter]) {
      const login = logIn(server, {}, "plain", prompter);
      await expect(login).rejects.toMatchObject({ code: "AUTH_REFUSED" });
      await expect(login).rejects.toThrow(/user0 would do, but its passphrase was not given/);
    }
  });

  it("a key that can't be read is KEY_UNREADABLE and named; with another key that does it, it is no matter", async () => {
    const server = await start(["ed25519"]);
    const none = path.join(server.folder, "none");
    const junk = path.join(server.folder, "junk");
    writeFileSync(
      junk,
      "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret junk\n-----END OPENSSH PRIVATE KEY-----\n",
    );
    for (const file of [none, junk, server.folder, `${server.identityFiles[0]}.pub`]) {
      const login = logIn(server, { identityFiles: [file] });
      await expect(login).rejects.toMatchObject({ code: "KEY_UNREADABLE" });
      await expect(login).rejects.toThrow(file);
      expect(await message(login)).not.toContain("secret junk");
    }
    await logIn(server, { identityFiles: [none, junk, ...server.identityFiles] });
    const missing = path.join(server.folder, "id_ed25519");
    await expect(logIn(server, { identityFiles: [missing] })).rejects.toThrow("there was no key to try");
  });

  it("a refusal names each key that was tried and what the server takes, one try each", async () => {
    const refused = (kind: string) => ({ kind, refused: true });
    const server = await start([refused("ed25519"), refused("ecdsa:256"), refused("rsa:2048")]);
    const text = await message(logIn(server));
    expect(text).toBe(
      `openssh refused the login of ${server.user} (tried ${server.identityFiles.join(", ")}; ` +
        "the server takes publickey); authorize a key of yours there, or give another with --identity",
    );
    const failed = () => server.log().match(/Failed publickey/g)?.length ?? 0;
    await until("the lines of the refusals", () => failed() > 2);
    expect(failed()).toBe(3);
  });

  it("more keys than the server has patience for end with AUTH_REFUSED", async () => {
    const keys = Array.from({ length: 4 }, () => ({ kind: "ed25519", refused: true }));
    const server = await start(keys, ["MaxAuthTries 2"]);
    await expect(logIn(server)).rejects.toMatchObject({ code: "AUTH_REFUSED" });
    await expect(logIn(server)).rejects.toThrow(/Too many authentication failures; .* mop_identity/);
  });
});

const agentMissing =
  sshdMissing ??
  (["ssh-agent", "ssh-add"].every((program) =>
    (process.env.PATH ?? "").split(path.delimiter).some((folder) => existsSync(path.join(folder, program))),
  )
    ? undefined
    : "ssh-agent or ssh-add is not installed");

describe.skipIf(agentMissing)(`keys in an agent${agentMissing ? ` (skipped: ${agentMissing})` : ""}`, () => {
  let folder: string;
  let agent: string;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), "mop-agent-"));
    agent = path.join(folder, "socket");
    const running = await startAgent(agent);
    stop = async () => {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    };
  });
  afterAll(() => stop?.());
  const add = (file: string) => {
    execFileSync("ssh-add", ["-q", file], { env: { ...process.env, SSH_AUTH_SOCK: agent }, stdio: "ignore" });
    cleanups.unshift(() => {
      execFileSync("ssh-add", ["-q", "-D"], {
        env: { ...process.env, SSH_AUTH_SOCK: agent },
        stdio: "ignore",
      });
    });
  };

  it.each(["ed25519", "ecdsa:256", "rsa:2048"])("%s log in at every pace", async (kind) => {
    const server = await start([kind]);
    add(server.identityFiles[0]!);
    for (const pace of PACES) await logIn(server, { agent, identityFiles: [], identitiesOnly: false }, pace);
  });

  it("with IdentitiesOnly only those that a file names are offered, and the agent signs for a locked file", async () => {
    const server = await start(["ed25519", { kind: "ecdsa:256", refused: true }]);
    const stranger = path.join(server.folder, "stranger");
    makeKey(stranger, "ed25519");
    add(stranger);
    add(server.identityFiles[0]!);
    const file = server.identityFiles[0]!;
    execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", PASSPHRASE, "-f", file]);
    const { asked, prompter } = answering(undefined);
    await logIn(server, { agent, identityFiles: [file], identitiesOnly: true }, "eager", prompter);
    expect(asked).toEqual([]);
    expect(server.log()).not.toMatch(/Failed publickey/);
    const other = logIn(server, { agent, identityFiles: [server.identityFiles[1]!], identitiesOnly: true });
    await expect(other).rejects.toThrow(/tried [^,;]*user1; /);
  });

  it("named by a public key's file alone, as with IdentityFile key.pub, is found", async () => {
    const server = await start(["ed25519"]);
    const stranger = path.join(server.folder, "stranger");
    makeKey(stranger, "ed25519");
    add(stranger);
    add(server.identityFiles[0]!);
    const file = `${server.identityFiles[0]}.pub`;
    await logIn(server, { agent, identityFiles: [file], identitiesOnly: true }, "eager");
    expect(server.log()).not.toMatch(/Failed publickey/);
  });

  it("an agent that isn't there is said, and only where no other key does it", async () => {
    const server = await start(["ed25519"]);
    const nobody = path.join(folder, "nobody");
    await logIn(server, { agent: nobody });
    const login = logIn(server, { agent: nobody, identityFiles: [], identitiesOnly: false });
    await expect(login).rejects.toMatchObject({ code: "KEY_UNREADABLE" });
    await expect(login).rejects.toThrow(`the ssh agent at ${nobody} doesn't answer`);
  });
});
