/** User certificates and security keys: what ssh2 itself doesn't know. sshd checks the signatures. */
import { execFileSync } from "node:child_process";
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { appendFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLogin } from "../../../transport/ssh/login.js";
import { readStrings, wireStrings } from "../../../transport/ssh/public-blob.js";
import { dialSocket } from "../../../transport/ssh/tcp.js";
import type { LoginPace, Prompter, Target } from "../../../transport/ssh/types.js";
import { makeKey, type RealServer, sshdMissing, startSshd } from "../../support/real-sshd.js";
import { startAgent } from "../../support/ssh-agent.js";
import { targetOf } from "../../support/ssh-target.js";

const PACES = ["plain", "conformant", "eager"] as const;
const SK = "sk-ssh-ed25519@openssh.com";

/** An agent with one security key, as a FIDO token would sign (PROTOCOL.u2f); `touched` is the user's presence. */
function tokenAgent(socket: string, touched: { yes: boolean }) {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const blob = wireStrings(SK, raw, "ssh:");
  const sha256 = (data: Buffer | string) => createHash("sha256").update(data).digest();
  const server = net.createServer((client) => {
    client.on("data", (request: Buffer) => {
      if (request[4] === 11) {
        client.write(wireStrings(Buffer.concat([Buffer.of(12, 0, 0, 0, 1), wireStrings(blob, "token")])));
        return;
      }
      const next = readStrings(request.subarray(5));
      next();
      const proof = Buffer.of(touched.yes ? 1 : 0, 0, 0, 0, 7);
      const signed = Buffer.concat([sha256("ssh:"), proof, sha256(next())]);
      const signature = Buffer.concat([wireStrings(SK, sign(null, signed, privateKey as KeyObject)), proof]);
      client.write(wireStrings(Buffer.concat([Buffer.of(14), wireStrings(signature)])));
    });
  });
  server.listen(socket);
  return { line: `${SK} ${blob.toString("base64")}`, close: () => server.close() };
}

describe.skipIf(sshdMissing)("user certificates and security keys", () => {
  let server: RealServer;
  let agent: string;
  let stopAgent: () => Promise<void>;

  beforeAll(async () => {
    server = await startSshd();
    const ca = path.join(server.folder, "ca");
    makeKey(ca, "ed25519");
    const authority = readFileSync(`${ca}.pub`, "utf8");
    appendFileSync(path.join(server.folder, "authorized_keys"), `cert-authority ${authority}`);
    agent = path.join(server.folder, "agent");
    ({ stop: stopAgent } = await startAgent(agent));
  });
  afterAll(async () => {
    await stopAgent?.();
    await server?.stop();
  });

  /** A key with a certificate beside it */
  const certified = (name: string, kind: string, passphrase = "") => {
    const file = path.join(server.folder, name);
    makeKey(file, kind, passphrase);
    const ca = path.join(server.folder, "ca");
    execFileSync("ssh-keygen", ["-q", "-s", ca, "-I", name, "-n", server.user, `${file}.pub`]);
    return file;
  };
  const logIn = async (more: Partial<Target>, pace: LoginPace = "plain", prompter?: Prompter) => {
    const open = () => dialSocket(server.address, server.port, 5000);
    const target = targetOf(server, { identityFiles: [], ...more });
    const session = await createLogin()(open, target, { pace, ...(prompter ? { prompter } : {}) });
    await session.authenticated.finally(() => session.close());
    return session.proof;
  };
  const message = (failing: Promise<unknown>) => failing.then(String, (error: Error) => error.message);

  it.each(["ed25519", "ecdsa:384", "rsa:2048"])(
    "a certificate of %s, named or beside its key, logs in",
    async (kind) => {
      const file = certified(`by-${kind}`, kind);
      await logIn({ identityFiles: [file] });
      const apart = path.join(server.folder, `apart-${kind}.pub`);
      renameSync(`${file}-cert.pub`, apart);
      for (const pace of PACES) await logIn({ identityFiles: [file], certificateFiles: [apart] }, pace);
      await expect(logIn({ identityFiles: [file] })).rejects.toMatchObject({ code: "AUTH_REFUSED" });
    },
  );

  it("the audit log's fingerprint of a certificate is its key's", async () => {
    const file = certified("audited", "ed25519");
    const [, print] = execFileSync("ssh-keygen", ["-l", "-f", `${file}.pub`])
      .toString()
      .split(" ");
    expect(await logIn({ identityFiles: [file] })).toEqual({ method: "publickey", key: print });
  });

  it("a certificate of a locked key asks for its passphrase, of a missing one says so", async () => {
    const file = certified("locked", "ed25519", "open sesame");
    const asked: string[] = [];
    const prompter: Prompter = {
      async passphrase(keyFile) {
        asked.push(keyFile);
        return "open sesame";
      },
      password: async () => undefined,
    };
    await logIn({ identityFiles: [file] }, "plain", prompter);
    expect(asked).toEqual([file]);
    const alone = logIn({ certificateFiles: [`${file}-cert.pub`] });
    expect(await message(alone)).toBe(
      `neither a file nor the agent has the key of the certificate ${file}-cert.pub`,
    );
    const none = logIn({ certificateFiles: [`${file}.pub`] });
    expect(await message(none)).toContain(`${file}.pub holds no user certificate (CertificateFile)`);
  });

  it("certificates in an agent log in, and its keys sign for certificates in files at every pace", async () => {
    const file = certified("in-agent", "ecdsa:256");
    const env = { ...process.env, SSH_AUTH_SOCK: agent };
    execFileSync("ssh-add", ["-q", file], { env, stdio: "ignore" });
    await logIn({ agent, identitiesOnly: false });
    // The agent's own certificate is gone: ssh-add adds the key alone
    execFileSync("ssh-add", ["-q", "-D"], { env, stdio: "ignore" });
    const apart = path.join(server.folder, "apart.pub");
    renameSync(`${file}-cert.pub`, apart);
    execFileSync("ssh-add", ["-q", file], { env, stdio: "ignore" });
    await expect(logIn({ agent, identitiesOnly: false })).rejects.toMatchObject({ code: "AUTH_REFUSED" });
    for (const pace of PACES) await logIn({ agent, identitiesOnly: true, certificateFiles: [apart] }, pace);
  });

  it("a security key in an agent logs in; what its token leaves out is for sshd to refuse", async () => {
    const socket = path.join(server.folder, "token");
    const touched = { yes: true };
    const token = tokenAgent(socket, touched);
    try {
      appendFileSync(path.join(server.folder, "authorized_keys"), `${token.line}\n`);
      for (const pace of PACES) await logIn({ agent: socket, identitiesOnly: false }, pace);
      const named = path.join(server.folder, "token.pub");
      writeFileSync(named, `${token.line} somewhere\n`);
      await logIn({ agent: socket, identityFiles: [named], identitiesOnly: true }, "eager");
      touched.yes = false;
      await expect(logIn({ agent: socket, identitiesOnly: false })).rejects.toThrow(/token \(agent\)/);
    } finally {
      token.close();
    }
    const alone = logIn({ identityFiles: [path.join(server.folder, "token.pub")] });
    expect(await message(alone)).toMatch(
      /token\.pub holds a public key only, and no agent has its private half/,
    );
  });
});
