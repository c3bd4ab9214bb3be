import { execFile } from "node:child_process";
import net from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { changedFiles } from "./support/container-host.js";
import { type ContainerLab, createContainerLab } from "./support/container-lab.js";
import { findEngine } from "./support/engine.js";

const engine = await findEngine();

describe.skipIf("missing" in engine)(
  `container lab ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let lab: ContainerLab;

    beforeAll(async () => {
      if ("missing" in engine) return;
      const leaves = { l1: {}, nonode: { prepare: "rm -f /usr/bin/node /usr/bin/nodejs" } };
      lab = await createContainerLab({ image: engine.image, leaves });
    });
    afterAll(() => lab?.close());

    const reaches = (from: string, to: string) =>
      lab
        .host(from)
        .sh(`timeout 20 bash -c 'read -t 15 line </dev/tcp/${to}/22 && echo "$line"'`)
        .then((line) => line.startsWith("SSH-2.0-OpenSSH"))
        .catch(() => false);

    test("each host reaches the next one down and no other", async () => {
      const ways: Record<string, boolean> = { "b1 b2": true, "b2 l1": true, "b1 l1": false, "l1 b1": false };
      const found = Object.keys(ways).map(async (way) => {
        const [from = "", to = ""] = way.split(" ");
        return [way, await reaches(from, to)];
      });
      expect(Object.fromEntries(await Promise.all(found))).toEqual(ways);
    });

    test("of all hosts this machine reaches b1 only", async () => {
      const answers = (address: string) =>
        new Promise<boolean>((resolve) => {
          const socket = net.connect({ host: address, port: 22, timeout: 5000 });
          const done = (answered: boolean) => {
            socket.destroy();
            resolve(answered);
          };
          socket.once("data", () => done(true));
          socket.once("error", () => done(false));
          socket.once("timeout", () => done(false));
        });
      await Promise.all(
        ["b1", "b2", "l1"].map(async (name) => {
          const addresses = (await lab.host(name).sh("hostname -I")).trim().split(" ");
          const answered = await Promise.all(addresses.map(answers));
          expect(answered.filter(Boolean), `${name} at ${addresses}`).toHaveLength(name === "b1" ? 1 : 0);
        }),
      );
    });

    test("the key opens b1 through the link, under the host key of known_hosts", async () => {
      const { link } = lab;
      const args = ["-F", "none", "-i", lab.identityFile, "-o", `UserKnownHostsFile=${lab.knownHostsFile}`];
      args.push("-o", "BatchMode=yes", "-p", String(link.port), `deploy@${link.host}`, "hostname");
      const out = await new Promise<string>((resolve, reject) =>
        execFile("ssh", args, (error, stdout) => (error ? reject(error) : resolve(stdout))),
      );
      expect(out).toBe("b1\n");
    });

    test("a file that is written or touched shows in a comparison, and nothing else does", async () => {
      const host = lab.host("l1");
      const before = await host.files();
      expect(changedFiles(before, await host.files())).toEqual([]);
      await host.sh("echo x >/dev/shm/new; touch /etc/hostname; echo x >/tmp/a; chmod 600 /etc/shells");
      const changed = changedFiles(before, await host.files());
      expect(changed).toEqual(expect.arrayContaining(["/dev/shm/new", "/tmp/a", "/etc/shells"]));
    });

    test("one leaf has no Node, the others have one that leaves can run on", async () => {
      await expect(lab.host("nonode").sh("command -v node")).rejects.toThrow("127");
      expect(await lab.host("l1").sh("node --version")).toMatch(/^v(1[6-9]|2\d)\./);
    });
  },
);
