import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type MopRun, startMop, summaryOf } from "../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../support/policies.js";
import { startAgent } from "../support/ssh-agent.js";
import { changedFiles, type FileStamps } from "./support/container-host.js";
import { type ContainerLab, createContainerLab } from "./support/container-lab.js";
import { findEngine } from "./support/engine.js";
import { CLEAN_WITHIN_MS, processesOf, stampsOf } from "./support/looks.js";

const engine = await findEngine();

const PASSWORD = "correct-horse-41b7";
const TOKEN = "tok-93f0c2d1e8";
const BASTIONS = ["b1", "b2"];

/** l1 takes a key, that an agent holds; l2 takes a password only. */
const LEAVES = {
  l1: { vars: { token: TOKEN } },
  l2: {
    prepare: `echo "deploy:${PASSWORD}" | chpasswd; : >/lab/authorized_keys`,
    sshd: "PasswordAuthentication yes",
    vars: { token: TOKEN, mop_password: PASSWORD },
  },
};

/** Whole looks at each host, with a node of ours on it, that the roles wait for. */
const LOOKS = 2;
const BODY = `
    await file("/srv/token", { content: \`token = \${vars.token}\\n\`, mode: 0o600 });
    await shell("until [ -e /tmp/go ]; do sleep 0.1; done", { timeout: 100 });
`;

describe.skipIf("missing" in engine)(
  `a push with an agent, a password and a secret ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let lab: ContainerLab;
    let policy: PolicyFolder;
    let run: MopRun;
    let before: Map<string, FileStamps>;
    /** What anyone could see on each host while the push ran: processes, environments, sockets */
    const seen = new Map<string, string>();
    /** What ran on each host when it was looked at, as the last test looks for it */
    const ran = new Map<string, Set<string>>();

    beforeAll(async () => {
      if ("missing" in engine) return;
      policy = policyFolder(rolePolicy(BODY));
      lab = await createContainerLab({ image: engine.image, leaves: LEAVES });
      before = await stampsOf(lab, BASTIONS);
      const SSH_AUTH_SOCK = path.join(lab.folder, "agent");
      const agent = await startAgent(SSH_AUTH_SOCK);
      try {
        const env = { ...process.env, SSH_AUTH_SOCK };
        await promisify(execFile)("ssh-add", [lab.identityFile], { env });
        // The agent is the only one that has the key: the option that names its file, the last two words, goes.
        const options = lab.options.slice(0, lab.options.indexOf("--identity"));
        // A longer way makes the logins last, so that they are looked at too.
        lab.link.setDelay(100);
        const started = startMop(["push", policy.policy, ...options, "-o", "json"], {
          env: { SSH_AUTH_SOCK },
        });
        let over = false;
        const looks = new Map([...lab.hosts.keys()].map((name) => [name, 0]));
        const letGo = async () => {
          if ([...looks.values()].some((count) => count < LOOKS)) return;
          await Promise.all(lab.leaves.map((leaf) => lab.host(leaf).sh("touch /tmp/go")));
        };
        const done = started.done.finally(() => {
          over = true;
        });
        const watch = async (name: string) => {
          const host = lab.host(name);
          let text = "";
          const lines = new Set<string>();
          ran.set(name, lines);
          while (!over) {
            const now = await host.processes();
            for (const line of now) lines.add(line);
            // Environments are shown to their own user only, even root needs a capability that containers lack.
            text += await host.visible("deploy");
            text += await host.visible("root");
            text += await host.sh(
              "cat /proc/net/unix; find / \\( -path /proc -o -path /sys \\) -prune -o -type s -print; ls -la /tmp /dev/shm",
            );
            if (now.some((line) => line.includes("mop relay of "))) looks.set(name, looks.get(name)! + 1);
            await letGo();
          }
          seen.set(name, text);
        };
        await Promise.all([...[...lab.hosts.keys()].map(watch), done]);
        run = await done;
      } finally {
        await agent.stop();
      }
    });
    afterAll(async () => {
      policy?.remove();
      await lab?.close();
    });

    test("does its work on both leaves", async () => {
      expect(run.status, run.stderr + run.stdout).toBe(0);
      for (const leaf of ["l1", "l2"]) {
        expect(summaryOf(run).hosts[leaf]).toMatchObject({ changed: 2, unreachable: false });
        expect(await lab.host(leaf).sh("cat /srv/token")).toBe(`token = ${TOKEN}\n`);
      }
    });

    test("writes no file on the bastions, not even for a moment", async () => {
      const after = await stampsOf(lab, BASTIONS);
      for (const name of BASTIONS)
        expect(changedFiles(before.get(name)!, after.get(name)!), name).toEqual([]);
      // A file that is there for a moment would have been seen, wherever the account may write.
      const places = ["/tmp", "/dev/shm", "/var/tmp", "/home/deploy"];
      for (const place of places)
        await lab.host("b1").sh(`touch ${place}/moment && rm ${place}/moment`, "deploy");
      const touched = changedFiles(after.get("b1")!, (await stampsOf(lab, ["b1"])).get("b1")!);
      expect(touched).toEqual(expect.arrayContaining(places));
    });

    test("shows no secret in the processes and environments of any host", () => {
      for (const [name, text] of seen) {
        // What was looked at holds our processes and their environment, else the rest proves nothing.
        expect(text, name).toMatch(/mop relay of \S+@/);
        expect(text, name).toContain("SSH_CONNECTION=");
        expect(text, name).not.toContain(PASSWORD);
        expect(text, name).not.toContain(TOKEN);
      }
    });

    test("brings no agent, no agent socket and no key to any host", async () => {
      for (const [name, text] of seen) {
        expect(text, name).toMatch(/RefCount Protocol/);
        expect(text, name).not.toContain("SSH_AUTH_SOCK");
        expect(text, name).not.toMatch(/agent|\/tmp\/ssh-/);
      }
      for (const name of lab.hosts.keys()) {
        const keys = await lab
          .host(name)
          .sh("grep -rlI 'PRIVATE KEY' /lab /home /root /tmp /var/tmp /run /srv /dev/shm; true");
        // sshd's own is what there is to find.
        expect(keys, name).toBe("/lab/host_key\n");
      }
    });

    test("leaves nothing running on any host 10 s after its end", async () => {
      // While it ran, the same look found a session and a node on each.
      for (const [name, lines] of ran) {
        expect([...lines].join("\n"), name).toContain("sshd: deploy");
        expect([...lines].join("\n"), name).toContain("mop relay of ");
      }
      await expect.poll(() => processesOf(lab), { timeout: CLEAN_WITHIN_MS, interval: 500 }).toEqual([]);
    });
  },
);
