import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab } from "../support/lab.js";
import {
  changedOf,
  type MopRun,
  mop,
  resourcesOf,
  startMop,
  summaryOf,
  unreachableOf,
} from "../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../support/policies.js";
import { findEngine } from "./support/engine.js";
import { CLEAN_WITHIN_MS } from "./support/looks.js";

const engine = await findEngine();
const docker = async (...args: string[]) => (await promisify(execFile)("docker", args)).stdout;
const isRoot = process.getuid?.() === 0;

const BODY = `
    await file("/made", { content: host.name + "\\n" + "x".repeat(300_000) });
    await shell("id -un; hostname", { readOnly: true });
`;

/** What commands printed. */
const saidIn = (run: MopRun) =>
  run.events.flatMap((event) => (event.event === "output" ? [event.text] : [])).join("");

/** Every process of this machine whose arguments have this in them, in containers as well. */
const processesWith = (text: string) =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
        return line.includes(text) ? [`${pid}: ${line}`] : [];
      } catch {
        return [];
      }
    });

describe.skipIf("missing" in engine)(
  `containers behind relays and from here ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    const box = `mop-hops-${randomBytes(4).toString("hex")}`;
    let lab: Lab;
    let policy: PolicyFolder;
    let options: string[];
    const sh = (command: string) => docker("exec", box, "sh", "-c", command);
    const processes = async () =>
      (await sh("ps -eo args= --width 300"))
        .split("\n")
        .filter((line) => line.trim() !== "" && !/^(ps |sh -c ps |sleep 1$|bash -c)/.test(line));

    beforeAll(async () => {
      if ("missing" in engine) return;
      // bash as process 1 buries orphans
      const wait = "for i in $(seq 1800); do sleep 1; done";
      const run = ["run", "-d", "--rm", "--network=none", "--name", box, "--hostname", "boxed"];
      await docker(...run, engine.image, "bash", "-c", wait);
      await sh(
        "useradd -m app; mkdir /tree && cp -a /bin /sbin /lib* /usr /etc /tree && mkdir /tree/dev /tree/tmp /tree/root && mknod -m 666 /tree/dev/null c 1 3",
      );
      const pid = (await docker("inspect", "--format", "{{.State.Pid}}", box)).trim();
      lab = await createLab({ leaves: 1 });
      policy = policyFolder(rolePolicy(BODY));
      const hosts: Record<string, Record<string, string>> = {
        here: { mop_hop: "docker", mop_host: box },
        behind: { mop_hop: "docker", mop_host: box, mop_via: "b2" },
        tree: { mop_hop: "chroot", mop_host: "/tree", mop_via: "behind" },
        app: { mop_hop: "docker", mop_host: box, mop_user: "app", mop_via: "b1" },
        // b1 and b2 are processes of this user on this machine
        spaces: { mop_hop: "nsenter", mop_host: pid, mop_via: "b2", mop_node: "/usr/bin/node" },
        missing: { mop_hop: "docker", mop_host: `${box}-not`, mop_via: "b2" },
        nouser: { mop_hop: "docker", mop_host: box, mop_user: "nobody-there" },
      };
      const tables = Object.entries(hosts).map(([name, vars]) => {
        const all = { mop_user: "", ...vars };
        const items = Object.entries(all).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
        return `${name} = { ${items.join(", ")} }`;
      });
      const inventory = path.join(lab.folder, "containers.toml");
      const [, ...rest] = lab.options;
      const bastions = lab.inventoryToml.split("[groups.web.hosts]")[0];
      writeFileSync(inventory, `${bastions}\n[groups.web.hosts]\n${tables.join("\n")}\n`);
      options = ["-i", inventory, ...rest.slice(1), "-o", "json"];
    });
    afterAll(async () => {
      policy?.remove();
      await lab?.close();
      if (!("missing" in engine)) await docker("rm", "-f", box);
    });
    const push = (limit: string, ...args: string[]) =>
      mop(["push", policy.policy, ...options, "--limit-hosts", limit, ...args]);
    const places = isRoot ? ["here", "behind", "tree", "spaces"] : ["here", "behind", "tree"];

    for (const name of places)
      test(`${name}: a push does its work inside as root, and a second one finds nothing to do`, async () => {
        const root = name === "tree" ? "/tree" : "";
        await sh("rm -f /made /tree/made");
        const run = await push(name);
        expect(run.status, run.stderr + JSON.stringify(unreachableOf(run))).toBe(0);
        expect(changedOf(run, name)).toEqual(["file made"]);
        expect(
          await sh(
            `head -n 1 ${root}/made; stat -c %U ${root}/made; ls ${root === "" ? "/tree/made" : "/made"} 2>/dev/null || true`,
          ),
        ).toBe(`${name}\nroot\n`);
        expect(saidIn(run)).toBe("root\nboxed\n");
        expect(changedOf(await push(name))).toEqual([]);
      });

    test("mop_user is whom docker enters as, and become goes on from there", async () => {
      const plain = await mop(["run", ...options, "--limit-hosts", "app", "--", "id", "-un"]);
      expect(saidIn(plain)).toBe("app\n");
      // root already: neither sudo nor a password is needed
      const root = await mop(["run", ...options, "--limit-hosts", "here", "--become", "--", "id", "-un"]);
      expect(saidIn(root), root.stdout).toBe("root\n");
      const other = ["--become", "--become-user", "app", "--become-method", "su"];
      const su = await mop(["run", ...options, "--limit-hosts", "behind", ...other, "--", "id", "-un"]);
      expect(saidIn(su), su.stdout).toBe("app\n");
    });

    test("a ping tells the round trips of the whole way", async () => {
      const run = await mop(["ping", ...options, "--limit-hosts", "tree,here"]);
      expect(run.status, run.stderr).toBe(0);
      expect(run.stdout).toMatch(/"from":"b2","to":"behind"/);
      expect(run.stdout).toMatch(/"from":"behind","to":"tree"/);
      expect(run.stdout).toMatch(/"from":"controller","to":"here"/);
    });

    test("each link of the way is counted, and hosts that are reached by another way are not disturbed", async () => {
      const run = await push("here,behind,tree");
      const links = summaryOf(run).links.map(({ from, to }) => `${from} > ${to}`);
      expect(links.sort()).toEqual([
        "b1 > b2",
        "b2 > behind",
        "behind > tree",
        "controller > b1",
        "controller > here",
      ]);
    });

    test("what docker refuses is one sentence with docker's words and the command", async () => {
      const run = await push("missing,nouser,here");
      const reasons = new Map(unreachableOf(run).map(({ host, reason }) => [host, reason]));
      expect([...reasons.keys()].sort()).toEqual(["missing", "nouser"]);
      expect(reasons.get("missing")).toMatch(
        new RegExp(
          `^[^\\n]*No such container: ${box}-not.*\\(it is entered by \`docker exec -i ${box}-not\`, run on b2\\)$`,
        ),
      );
      expect(reasons.get("nouser")).toMatch(/nobody-there.*run on this machine\)$/);
      expect(resourcesOf(run, "here").length).toBeGreaterThan(0);
    });

    test("nothing of ours is left inside, nor docker's client, after any of this", async () => {
      await expect.poll(processes, { timeout: CLEAN_WITHIN_MS }).toEqual([]);
      await expect.poll(() => processesWith(`exec -i ${box}`), { timeout: CLEAN_WITHIN_MS }).toEqual([]);
    });

    for (const who of ["the controller", "the relay that ran docker", "docker's client"])
      test(`a kill -9 of ${who} in the middle of a role leaves nothing inside within 10 s`, async () => {
        const sleeping = policyFolder(rolePolicy(`await shell("sleep 77");`));
        try {
          const { child, done } = startMop([
            ...["push", sleeping.policy, ...options, "--limit-hosts", "behind,tree"],
          ]);
          await expect
            .poll(async () => (await processes()).filter((line) => line === "sleep 77").length, {
              timeout: 120_000,
              interval: 300,
            })
            .toBe(2);
          const client = processesWith(`docker exec -i ${box}`).map((line) => Number.parseInt(line, 10));
          expect(client).toHaveLength(1);
          const stat = readFileSync(`/proc/${client[0]}/stat`, "latin1");
          const relay = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
          process.kill(
            who === "the controller" ? child.pid! : who === "docker's client" ? client[0]! : relay,
            "SIGKILL",
          );
          const left = async () => [...(await processes()), ...processesWith(`exec -i ${box}`)];
          await expect.poll(left, { timeout: CLEAN_WITHIN_MS, interval: 300 }).toEqual([]);
          const run = await done;
          if (who !== "the controller")
            expect(
              unreachableOf(run)
                .map(({ host }) => host)
                .sort(),
            ).toEqual(["behind", "tree"]);
        } finally {
          sleeping.remove();
        }
      });
  },
);
