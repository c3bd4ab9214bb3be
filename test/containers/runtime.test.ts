import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type MopRun, mop, summaryOf } from "../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../support/policies.js";
import { answering } from "../support/terminal.js";
import { type ContainerLab, createContainerLab } from "./support/container-lab.js";
import { findEngine } from "./support/engine.js";
import { muslRuntime } from "./support/musl-runtime.js";

const engine = await findEngine("musl");

const NO_NODE = "rm -rf /usr/bin/node /usr/bin/nodejs";
/** Sessions of this host see nothing but a tree with musl and busybox. */
const MUSL = {
  prepare: `${NO_NODE}
usermod --shell /bin/sh deploy
install -d -m 755 -o deploy -g deploy /musl/home/deploy
cp /etc/passwd /etc/group /musl/etc/`,
  sshd: "ChrootDirectory /musl",
};
const PUSHED = { mop_node: "push" };
const LEAVES = {
  // One command at a time
  l1: { prepare: NO_NODE, vars: PUSHED, sshd: "MaxSessions 1" },
  l2: {
    prepare: `${NO_NODE}; echo "deploy ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/deploy`,
    vars: PUSHED,
  },
  l3: { ...MUSL, vars: PUSHED },
  // Where it would be kept nothing runs; and there is no room
  noexec: {
    prepare: NO_NODE,
    vars: PUSHED,
    sshd: "SetEnv XDG_CACHE_HOME=/cache",
    tmpfs: { "/cache": "rw,noexec,size=200m,mode=1777" },
  },
  small: {
    prepare: NO_NODE,
    vars: PUSHED,
    sshd: "SetEnv XDG_CACHE_HOME=/cache",
    tmpfs: { "/cache": "rw,exec,size=20m,mode=1777" },
  },
};
const GOOD = "l1,l2,l3";
const HOMES = { l1: "/home/deploy", l2: "/home/deploy", l3: "/musl/home/deploy" };

describe.skipIf("missing" in engine)(
  `leaves without Node behind two bastions ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let lab: ContainerLab;
    let home: string;
    let policy: PolicyFolder;
    beforeAll(async () => {
      if ("missing" in engine) return;
      lab = await createContainerLab({ image: engine.image, leaves: LEAVES });
      home = mkdtempSync(path.join(os.tmpdir(), "mop-runtime-home-"));
      mkdirSync(path.join(home, ".mop"));
      const musl = muslRuntime(home);
      writeFileSync(path.join(home, ".mop/defaults.toml"), `[runtimes]\nlinux-x64-musl = "${musl}"\n`);
      policy = policyFolder(rolePolicy('await file("/tmp/marker", { content: process.platform });'));
    });
    afterAll(async () => {
      if (home) rmSync(home, { recursive: true, force: true });
      policy?.remove();
      await lab?.close();
    });

    const run = ([command = "", ...args]: readonly string[], ...last: readonly string[]) =>
      mop([command, ...lab.options, "-o", "json", ...args, ...last], { env: { HOME: home } });
    /** The lab's inventory, changed */
    const inventoryOf = (name: string, change: (text: string) => string): string => {
      const file = path.join(lab.folder, `${name}.toml`);
      writeFileSync(file, change(readFileSync(path.join(lab.folder, "inventory.toml"), "utf8")));
      return file;
    };
    const clean = () => mop(["runtime", "clean", ...lab.options, "-o", "json"], { env: { HOME: home } });
    const kept = async (leaf: keyof typeof HOMES, of: string = HOMES[leaf]) =>
      (await lab.host(leaf).sh(`ls -A ${of}/.cache/mop/runtime 2>/dev/null || true`))
        .split("\n")
        .filter(Boolean);
    const sent = (ran: MopRun, from: string, to: string) =>
      summaryOf(ran).links.find((link) => link.from === from && link.to === to)?.sent ?? 0;
    const reached = (ran: MopRun) => expect(ran.status, ran.stderr + ran.stdout).toBe(0);
    /** Bytes of the Node that is brought to the leaves with glibc */
    const SIZE = statSync(process.execPath).size;

    test("two with glibc are brought the controller's own, compressed, over the first links once", async () => {
      const ran = await run(["ping", "--limit-hosts", "l1,l2"]);
      reached(ran);
      for (const leaf of ["l1", "l2"] as const) {
        expect(await kept(leaf)).toHaveLength(1);
        expect(sent(ran, "b2", leaf)).toBeGreaterThan(SIZE);
      }
      // One compressed copy is a third of it; two would be more than half
      for (const [from, to] of [
        ["controller", "b1"],
        ["b1", "b2"],
      ] as const) {
        expect(sent(ran, from, to)).toBeGreaterThan(SIZE * 0.2);
        expect(sent(ran, from, to)).toBeLessThan(SIZE * 0.45);
      }
    });

    test("one with musl is told apart and brought the file that was named for it", async () => {
      const ran = await run(["ping", "--limit-hosts", "l3"]);
      reached(ran);
      const [hash] = await kept("l3");
      expect(await lab.host("l3").sh(`sha256sum <${HOMES.l3}/.cache/mop/runtime/${hash}`)).toContain(hash);
      expect(await kept("l1")).not.toContain(hash);
    });

    test("they are kept: the next run brings nothing, and a role runs on all", async () => {
      const ran = await run(["push", policy.policy, "--limit-hosts", GOOD]);
      reached(ran);
      expect(sent(ran, "controller", "b1")).toBeLessThan(400_000);
      for (const leaf of ["l1", "l2", "l3"] as const) {
        expect(sent(ran, "b2", leaf)).toBeLessThan(400_000);
        expect(summaryOf(ran).hosts[leaf]).toMatchObject({ changed: 1, failed: 0 });
        const root = leaf === "l3" ? "/musl" : "";
        expect(await lab.host(leaf).sh(`cat ${root}/tmp/marker`)).toBe("linux");
      }
    });

    test("one that can't keep or run it is told of in one sentence, and keeps nothing of it", async () => {
      const ran = await run(["ping", "--limit-hosts", "noexec,small"]);
      expect(ran.status).toBe(4);
      const reasons = Object.fromEntries(
        ran.events.flatMap((event) =>
          event.event === "host" && event.state === "unreachable" ? [[event.host, event.reason]] : [],
        ),
      );
      const begin = "no Node 16 or newer there, and it can't be brought one: ";
      expect(reasons).toEqual({
        noexec: expect.stringMatching(
          new RegExp(
            `^noexec: ${begin}the Node that was brought does not run in /cache/mop/runtime \\(a folder of a file system mounted noexec, or .*Permission denied$`,
          ),
        ),
        small: expect.stringMatching(
          new RegExp(
            `^small: ${begin}it can not be written to /cache/mop/runtime: .*No space left on device$`,
          ),
        ),
      });
      for (const name of ["noexec", "small"])
        expect(await lab.host(name).sh("ls -A /cache/mop/runtime")).toBe("");
    });

    test("another account is brought its own, over the terminal that becoming it takes", async () => {
      const ran = await run(["run", "--limit-hosts", "l2", "--become"], "--", "id", "-u");
      reached(ran);
      expect(ran.events).toContainEqual({ event: "output", host: "l2", stream: "stdout", text: "0\n" });
      expect(await kept("l2", "/root")).toEqual(await kept("l2"));
    });

    test("a tree that a command on a leaf leads into is brought its own by that leaf", async () => {
      const inventory = inventoryOf(
        "jail",
        (text) => `${text}
[hosts.jail.vars]
mop_hop = "command"
mop_command = "sudo -n chroot /musl /bin/env HOME=/root"
mop_via = "l2"
mop_node = "push"
`,
      );
      reached(await run(["ping", "--limit-hosts", "jail", "-i", inventory]));
      expect(await kept("l2", "/musl/root")).toHaveLength(1);
    });

    test("`mop runtime clean` removes it, and brings nothing to where there is none", async () => {
      const hash = (await kept("l1"))[0];
      const ran = await clean();
      reached(ran);
      expect(ran.events).toContainEqual({ event: "runtime", host: "l1", removed: [hash] });
      for (const leaf of ["l1", "l2", "l3"] as const)
        expect(await lab.host(leaf).sh(`ls -A ${HOMES[leaf]}/.cache/mop`)).toBe("");
      const again = await clean();
      reached(again);
      expect(again.events).toContainEqual({ event: "runtime", host: "l1", removed: [] });
      expect(sent(again, "controller", "b1")).toBeLessThan(400_000);
    });

    test("at a terminal it is asked for once, with the hosts' names", async () => {
      const inventory = inventoryOf("silent", (text) =>
        text.replaceAll('mop_node = "push"', 'mop_user = "deploy"'),
      );
      const words = ["ping", ...lab.options, "-i", inventory, "--limit-hosts", "l1,l2"];
      const { screen, status } = await answering("[y/N]", "y\n", words, { HOME: home });
      expect(status, screen).toBe(0);
      expect(screen.split("[y/N]").length - 1).toBe(1);
      expect(screen).toMatch(
        /(l1 and l2|l2 and l1) have no Node 16 or newer\. Bring one there, .*linux-x64 99 MB/,
      );
      expect(await kept("l1")).toHaveLength(1);
    });

    test("behind a bastion without Node it comes from that bastion's own", async () => {
      await lab.host("l1").sh(`rm -rf ${HOMES.l1}/.cache/mop`);
      await lab.host("b2").sh(NO_NODE);
      const inventory = inventoryOf("b2-without", (text) =>
        text.replace("[hosts.b2.vars]", '[hosts.b2.vars]\nmop_node = "push"'),
      );
      const refused = await run(["ping", "--limit-hosts", "l1", "--hop", "relay"]);
      expect(refused.status).toBe(4);
      expect(refused.stdout).toContain("no Node found there; tried");
      expect(refused.stdout).toContain("b2");
      // Passed as a jump, it is the relay before it that brings the leaf its own
      const passed = await run(["ping", "--limit-hosts", "l1"]);
      reached(passed);
      expect(sent(passed, "controller", "b1")).toBeLessThan(SIZE * 0.45);
      await lab.host("l1").sh(`rm -rf ${HOMES.l1}/.cache/mop`);
      const ran = await run(["ping", "--limit-hosts", "l1", "-i", inventory]);
      reached(ran);
      expect(sent(ran, "controller", "b1")).toBeLessThan(SIZE * 0.45);
      expect(sent(ran, "b1", "b2")).toBeLessThan(SIZE * 1.1);
      expect(sent(ran, "b2", "l1")).toBeGreaterThan(SIZE);
    });

    test("behind bastions that only forward it is sent end to end, compressed", async () => {
      await lab.host("l1").sh(`rm -rf ${HOMES.l1}/.cache/mop`);
      lab.link.resetCounters();
      reached(await run(["ping", "--limit-hosts", "l1", "--hop", "jump"]));
      expect(await kept("l1")).toHaveLength(1);
      expect(lab.link.toTarget).toBeGreaterThan(SIZE * 0.3);
      expect(lab.link.toTarget).toBeLessThan(SIZE * 0.6);
    });
  },
);
