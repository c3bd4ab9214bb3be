import { createHmac } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createLogin } from "../../../transport/ssh/login.js";
import { dialSocket } from "../../../transport/ssh/tcp.js";
import type { LoginPace, Target } from "../../../transport/ssh/types.js";
import { type RealServer, sshdMissing, startSshd } from "../../support/real-sshd.js";
import { targetOf } from "../../support/ssh-target.js";

const PACES = ["plain", "conformant", "eager"] as const;

describe.skipIf(sshdMissing)(`host keys${sshdMissing ? ` (skipped: ${sshdMissing})` : ""}`, () => {
  let server: RealServer;
  let folder: string;
  let name: string;
  /** "type base64" */
  let key: string;
  let wrongKey: string;
  beforeAll(async () => {
    server = await startSshd({ hostKeys: ["ed25519", "ecdsa:256", "rsa:2048"] });
    name = `[127.0.0.1]:${server.port}`;
    key = server.hostKeys[0]!;
    const bytes = Buffer.from(key.split(" ")[1]!, "base64");
    bytes[bytes.length - 1]! ^= 1;
    wrongKey = `ssh-ed25519 ${bytes.toString("base64")}`;
  });
  afterAll(() => server?.stop());
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "mop-known-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const file = (text: string, called = "known_hosts"): string => {
    const at = path.join(folder, called);
    writeFileSync(at, text);
    return at;
  };
  const enter = async (more: Partial<Target>, pace: LoginPace = "plain") => {
    const open = () => dialSocket(server.address, server.port, 5000);
    const session = await createLogin()(open, targetOf(server, more), { pace });
    await session.authenticated.finally(() => session.close());
  };
  const known = (text: string, more: Partial<Target> = {}) =>
    enter({ knownHostsFiles: [file(text)], ...more });

  it("are known by a hashed line, by the second of several files and by an alias", async () => {
    const salt = Buffer.alloc(20, 5);
    const hash = createHmac("sha1", salt).update(name).digest("base64");
    await known(`|1|${salt.toString("base64")}|${hash} ${key}\n`);
    const files = [path.join(folder, "none"), file("", "empty"), file(`${name} ${key}\n`, "second")];
    await enter({ knownHostsFiles: files });
    await known(`some-alias ${key}\n`, { hostKeyAlias: "some-alias" });
  });

  it("that RevokedHostKeys has, or that are too short, end the login whatever else is known of them", async () => {
    const revokedKeysFile = file(`# found on a market\n${key} somebody\n`, "revoked");
    for (const hostKeys of ["strict", "accept-new", "off"] as const) {
      const login = known(`${name} ${key}\n`, { revokedKeysFile, hostKeys });
      await expect(login).rejects.toMatchObject({ code: "HOST_KEY_REVOKED" });
      await expect(login).rejects.toThrow(`is revoked in ${revokedKeysFile}, line 2`);
    }
    await known(`${name} ${server.hostKeys[1]}\n`, { revokedKeysFile });
    for (const [unreadable, why] of [
      [path.join(folder, "nowhere"), "no such file"],
      [file("SSHKRL\n\0\0\0\0\x01", "krl"), "it is a key revocation list"],
      [file(`${key}\nssh-ed25519 AAAA\n`, "broken"), "line 2 holds no public key"],
    ] as const)
      await expect(known(`${name} ${key}\n`, { revokedKeysFile: unreadable })).rejects.toThrow(why);
    const short = known(`${name} ${server.hostKeys[2]}\n`, { leastRsaBits: 3072 });
    await expect(short).rejects.toThrow(/RSA key .* has 2048 bits, fewer than the 3072 of RequiredRSASize/);
  });

  it("that are unknown name what of ssh's configuration might know them and isn't used", async () => {
    const unheeded = { hostKey: ["KnownHostsCommand /bin/keys %H"], login: [] };
    await expect(known("", { unheeded })).rejects.toThrow(
      /is in none of \S+ \(ssh's configuration has KnownHostsCommand \/bin\/keys %H for it, which mop doesn't use\); if it is right/,
    );
  });

  it.each([0, 1, 2])("are asked for by the type that is known, %s of three", async (index) => {
    await known(`${name} ${server.hostKeys[index]}\n`);
  });

  it.each(PACES)(
    "that are unknown end a %s login with what to do, and a strict login writes nothing",
    async (pace) => {
      const at = path.join(folder, "known_hosts");
      const login = enter({ knownHostsFiles: [at] }, pace);
      await expect(login).rejects.toMatchObject({ code: "HOST_KEY_UNKNOWN" });
      await expect(login).rejects.toThrow(
        /^openssh: .*SHA256:.* is in none of .*known_hosts; if it is right, add the line/,
      );
      await expect(login).rejects.toThrow("accept-new");
      expect(existsSync(at)).toBe(false);
      // The line that it proposes is right
      const message = await login.then(String, (error: Error) => error.message);
      const line = /add the line "([^"]+)"/.exec(message)![1];
      await known(`${line}\n`);
    },
  );

  it.each(PACES)(
    "that have changed end a %s login, whatever the policy but off, naming file and line",
    async (pace) => {
      for (const hostKeys of ["strict", "accept-new"] as const) {
        const at = file(`\n# other\n${name} ${wrongKey}\n`);
        const login = enter({ knownHostsFiles: [at], hostKeys }, pace);
        await expect(login).rejects.toMatchObject({ code: "HOST_KEY_CHANGED" });
        await expect(login).rejects.toThrow(`${at}, line 3`);
        await expect(login).rejects.toThrow(`ssh-keygen -R '${name}' -f '${at}'`);
      }
    },
  );

  it("that are revoked are refused even where another line knows them", async () => {
    const login = known(`${name} ${key}\n@revoked * ${key}\n`);
    await expect(login).rejects.toMatchObject({ code: "HOST_KEY_REVOKED" });
    await expect(login).rejects.toThrow("line 2");
    const accepting = known(`@revoked * ${key}\n`, { hostKeys: "accept-new" });
    await expect(accepting).rejects.toMatchObject({ code: "HOST_KEY_REVOKED" });
  });

  it("behind a @cert-authority are unknown, and the message says why", async () => {
    const login = known(`@cert-authority ${name} ${wrongKey}\n`);
    await expect(login).rejects.toMatchObject({ code: "HOST_KEY_UNKNOWN" });
    await expect(login).rejects.toThrow(/@cert-authority in .*line 1.*not supported/);
  });

  it("are not asked about where checking is off", async () => {
    await known(`${name} ${wrongKey}\n`, { hostKeys: "off" });
  });

  it("that are accepted anew make the folder 0700 and are known from then on", async () => {
    const at = path.join(folder, "home/.ssh/known_hosts");
    await enter({ knownHostsFiles: [at], hostKeys: "accept-new" });
    expect(statSync(path.dirname(at)).mode & 0o777).toBe(0o700);
    expect(statSync(at).mode & 0o077 & ~0o044).toBe(0);
    await enter({ knownHostsFiles: [at] });
    expect(readFileSync(at, "utf8")).toBe(`${name} ${key}\n`);
  });

  it("that are accepted anew are written hashed where ssh's configuration wants it, and known from then on", async () => {
    const at = path.join(folder, "known_hosts");
    await enter({ knownHostsFiles: [at], hostKeys: "accept-new", hashKnownHosts: true });
    expect(readFileSync(at, "utf8")).toMatch(/^\|1\|\S{28}\|\S{28} ssh-ed25519 \S+\n$/);
    await enter({ knownHostsFiles: [at] });
  });

  it("that are accepted anew by many logins at once are written once each, behind a line without end", async () => {
    const at = file(`other ${key}`);
    await Promise.all(
      Array.from({ length: 8 }, () => enter({ knownHostsFiles: [at], hostKeys: "accept-new" })),
    );
    expect(readFileSync(at, "utf8")).toBe(`other ${key}\n${name} ${key}\n`);
  });

  it("are refused where they can't be kept", async () => {
    mkdirSync(path.join(folder, "taken"));
    const login = enter({ knownHostsFiles: [path.join(folder, "taken")], hostKeys: "accept-new" });
    await expect(login).rejects.toMatchObject({ code: "HOST_KEY_UNKNOWN" });
    await expect(login).rejects.toThrow("taken");
  });

  it("in a file that can't be read end the login, naming the file", async () => {
    // A folder: root could read a file without permissions
    const at = path.join(folder, "known_hosts");
    mkdirSync(at);
    const login = enter({ knownHostsFiles: [at, file(`${name} ${key}\n`, "second")] });
    await expect(login).rejects.toThrow(`${at} can't be read`);
  });
});
