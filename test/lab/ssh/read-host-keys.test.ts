import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { coversHost } from "../../../transport/ssh/known-hosts.js";
import { appendKnownHosts } from "../../../transport/ssh/known-hosts-file.js";
import { createLogin } from "../../../transport/ssh/login.js";
import { fingerprint, keyBits } from "../../../transport/ssh/public-key.js";
import { compareHostKeys, readHostKeys } from "../../../transport/ssh/read-host-keys.js";
import { dialSocket } from "../../../transport/ssh/tcp.js";
import type { Target } from "../../../transport/ssh/types.js";
import { type RealServer, sshdMissing, startSshd } from "../../support/real-sshd.js";
import { targetOf } from "../../support/ssh-target.js";

const never = new AbortController().signal;
const bytes = (line: string) => Buffer.from(line.split(" ")[1]!, "base64");

describe.skipIf(sshdMissing)(
  `host keys that are only read${sshdMissing ? ` (skipped: ${sshdMissing})` : ""}`,
  () => {
    let server: RealServer;
    let folder: string;
    let name: string;
    beforeAll(async () => {
      server = await startSshd({ hostKeys: ["ed25519", "ecdsa:384", "rsa:3072"] });
      name = `[127.0.0.1]:${server.port}`;
    });
    afterAll(() => server?.stop());
    beforeEach(() => {
      folder = mkdtempSync(path.join(os.tmpdir(), "mop-known-"));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    const read = (more: Partial<Target> = {}) =>
      readHostKeys(
        (one) => one(() => dialSocket(server.address, server.port, 5000)),
        targetOf(server, more),
        never,
      );
    const known = (text: string) => {
      const file = path.join(folder, "known_hosts");
      writeFileSync(file, text);
      return file;
    };
    const enter = async (file: string) => {
      const session = await createLogin()(
        () => dialSocket(server.address, server.port, 5000),
        targetOf(server, { knownHostsFiles: [file] }),
        { pace: "plain" },
      );
      await session.authenticated.finally(() => session.close());
    };

    it("are one of each kind, with the bits and fingerprints that ssh-keygen tells", async () => {
      const keys = await read();
      expect(keys.map((key) => key.toString("base64")).sort()).toEqual(
        server.hostKeys.map((line) => line.split(" ")[1]).sort(),
      );
      const file = path.join(folder, "new");
      appendKnownHosts(file, name, keys, false);
      const told = execFileSync("ssh-keygen", ["-l", "-f", file], { encoding: "utf8" });
      for (const key of keys) expect(told).toContain(`${keyBits(key)} ${fingerprint(key)} ${name} (`);
      await enter(file);
    });

    it("of a kind that the server has not are left out", async () => {
      const one = await startSshd({ hostKeys: ["rsa:2048"] });
      try {
        const open = () => dialSocket(one.address, one.port, 5000);
        const keys = await readHostKeys((read) => read(open), targetOf(one), never);
        expect(keys).toEqual([bytes(one.hostKeys[0]!)]);
        expect(keyBits(keys[0]!)).toBe(2048);
      } finally {
        await one.stop();
      }
    });

    it("are written hashed where other names of the file are, or on demand, and OpenSSH finds them", async () => {
      const [key] = await read();
      const other = "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA=";
      const beside = known(`${other} ${server.hostKeys[0]}\n`);
      const fresh = path.join(folder, "fresh");
      const plain = path.join(folder, "plain");
      expect(appendKnownHosts(beside, name, [key!], false)).toEqual({ hashed: true });
      expect(appendKnownHosts(fresh, name, [key!], true)).toEqual({ hashed: true });
      expect(appendKnownHosts(plain, name, [key!], false)).toEqual({ hashed: false });
      for (const file of [beside, fresh, plain]) {
        const line = readFileSync(file, "utf8").trim().split("\n").at(-1)!;
        expect(line.startsWith("|1|")).toBe(file !== plain);
        expect(coversHost(line.split(" ")[0]!, name)).toBe(true);
        const found = execFileSync("ssh-keygen", ["-F", name, "-f", file], { encoding: "utf8" });
        expect(found).toContain(key!.toString("base64"));
        await enter(file);
      }
      const before = readFileSync(fresh, "utf8");
      appendKnownHosts(fresh, name, [key!], true);
      expect(readFileSync(fresh, "utf8")).toBe(before);
    });

    it("are known, new beside a known one, or changed with file and line", async () => {
      const keys = await read();
      const index = keys.findIndex((key) => key.equals(bytes(server.hostKeys[1]!)));
      const wrong = Buffer.from(keys[index]!);
      wrong[wrong.length - 1]! ^= 1;
      const line = (key: Buffer) => `${server.hostKeys[1]!.split(" ")[0]} ${key.toString("base64")}`;
      const compare = (text: string) =>
        compareHostKeys(targetOf(server, { knownHostsFiles: [known(text)] }), keys);

      const some = await compare(`\n${name} ${line(keys[index]!)}\n`);
      expect(some.map(({ known }) => known?.line)).toEqual(
        keys.map((_, at) => (at === index ? 2 : undefined)),
      );
      const file = path.join(folder, "known_hosts");
      await expect(compare(`# one\n${name} ${line(wrong)}\n`)).rejects.toMatchObject({
        code: "HOST_KEY_CHANGED",
        message: expect.stringContaining(`${file}, line 2 has another`),
      });
      // Known by a key of a type that it doesn't show any more: as changed as any
      const others = keys.filter((_, at) => at !== index);
      const lost = compareHostKeys(
        targetOf(server, { knownHostsFiles: [known(`${name} ${line(keys[index]!)}\n`)] }),
        others,
      );
      await expect(lost).rejects.toMatchObject({ code: "HOST_KEY_CHANGED" });
      await expect(compare(`@revoked * ${line(keys[index]!)}\n`)).rejects.toMatchObject({
        code: "HOST_KEY_REVOKED",
      });
    });

    it("aren't had from what says nothing, in time", async () => {
      const silent = net.createServer(() => {}).listen(0, "127.0.0.1");
      await new Promise((resolve) => silent.once("listening", resolve));
      const { port } = silent.address() as net.AddressInfo;
      const sockets: net.Socket[] = [];
      silent.on("connection", (socket) => sockets.push(socket.on("error", () => {}).resume()));
      const target = targetOf(server, { port, connectTimeoutMs: 200 });
      const reading = readHostKeys((one) => one(() => dialSocket("127.0.0.1", port, 5000)), target, never);
      await expect(reading).rejects.toMatchObject({ code: "CONNECT_TIMEOUT" });
      await expect.poll(() => sockets.every((socket) => socket.destroyed)).toBe(true);
      silent.close();
    });
  },
);
