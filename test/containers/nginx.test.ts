import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { changedOf, type MopRun, mop, ROOT, resourcesOf, summaryOf } from "../support/mop.js";
import { type ContainerLab, createContainerLab } from "./support/container-lab.js";
import { findEngine } from "./support/engine.js";
import { CLEAN_WITHIN_MS, deeds, processesOf } from "./support/looks.js";

const engine = await findEngine("nginx");
/** A host as it is handed over: an account that may become root, package lists from its set-up. */
const HOST = { prepare: "echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/lab; apt-get update -qq" };
/** nginx itself is what the role is to leave behind. */
const NGINX = /nginx: (master|worker)/;

describe.skipIf("missing" in engine)(
  `examples/nginx: a service from nothing to running, through two bastions ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let lab: ContainerLab;
    /** The example, as somebody has it who edits it */
    const folder = mkdtempSync(path.join(os.tmpdir(), "mop-nginx-"));
    const template = path.join(folder, "templates/nginx.conf.j2");
    beforeAll(async () => {
      if ("missing" in engine) return;
      cpSync(path.join(ROOT, "examples/nginx"), folder, { recursive: true });
      lab = await createContainerLab({ image: engine.image, leaves: { l1: HOST, l2: HOST } });
    });
    afterAll(async () => {
      rmSync(folder, { recursive: true, force: true });
      await lab?.close();
    });

    const push = (...args: string[]) => mop(["push", folder, ...lab.options, "-o", "json", ...args]);
    const good = async (...args: string[]): Promise<MopRun> => {
      const run = await push(...args);
      expect(run.status, run.stdout + run.stderr).toBe(0);
      return run;
    };
    const page = (leaf: string, port = 80) =>
      lab
        .host(leaf)
        .sh(
          `node -e 'fetch("http://127.0.0.1:${port}/").then(async (a) => console.log(a.status, await a.text()))'`,
        );
    /**
     * The master, and its workers: a restart gives another master, a reload other workers. A worker is called as its
     * master is until it has begun.
     */
    const pids = async (leaf: string) => {
      const text = await lab.host(leaf).sh("ps -eo pid=,ppid=,args= | grep -E 'nginx: (master|worker)'");
      const all = [...text.matchAll(/^ *(\d+) +(\d+) +nginx: (.*)/gm)];
      const isWorker = ([, , parent]: RegExpExecArray) => all.some(([, pid]) => pid === parent);
      const of = (found: RegExpExecArray[]) => found.map(([, pid]) => pid);
      return {
        master: of(all.filter((one) => !isWorker(one))),
        workers: of(all.filter((one) => isWorker(one) && !one[3]!.includes("shutting down"))),
      };
    };
    const serviceOf = (run: MopRun, leaf: string) =>
      resourcesOf(run, leaf).find(({ type }) => type === "service");
    const edit = (from: string, to: string) =>
      writeFileSync(template, readFileSync(template, "utf8").replace(from, to));

    test("the first push installs, configures and starts it, as the check said; one host first", async () => {
      const planned = await good("--check", "--diff");
      for (const leaf of lab.leaves)
        expect(await lab.host(leaf).sh("ls /etc/nginx /srv/www 2>&1 || true")).toContain("No such file");
      const first = await good("--diff");
      for (const leaf of lab.leaves) {
        expect(changedOf(first, leaf)).toEqual([
          "package nginx",
          "directory www",
          "file index.html",
          "file nginx.conf",
          "service nginx",
        ]);
        expect(await page(leaf)).toContain(
          `200 <!doctype html>\n<title>${leaf}</title>\n<p>Hello from ${leaf}.</p>`,
        );
      }
      // What the package brings along can't be foreseen: the configuration that it comes with, that it enables its service.
      const told = (run: MopRun) =>
        deeds(run).map(({ host, type, name, status }) => ({ host, type, name, status }));
      expect(told(first)).toEqual(told(planned));
      const sure = (run: MopRun) =>
        deeds(run).filter(({ type }) => ["package", "directory", "waitFor"].includes(type));
      expect(sure(first)).toEqual(sure(planned));
      const order = first.events.flatMap((event) => (event.event === "role" ? [event.host] : []));
      expect(order).toEqual(["l1", "l2"]);
    });

    test("the second push changes nothing, and nginx is not disturbed", async () => {
      const before = await pids("l1");
      expect(before.master).toHaveLength(1);
      const again = await good();
      expect(changedOf(again)).toEqual([]);
      expect(Object.values(summaryOf(again).hosts).map(({ ok }) => ok)).toEqual([6, 6]);
      expect(await pids("l1")).toEqual(before);
    });

    test("an edited template is checked, put in place and reloaded once, exactly as the check said", async () => {
      edit("worker_connections 512;", "worker_connections 1024;");
      const before = await pids("l2");
      const planned = await good("--check", "--diff");
      const edited = await good("--diff");
      expect(deeds(edited)).toEqual(deeds(planned));
      expect(changedOf(edited, "l2")).toEqual(["file nginx.conf", "service nginx"]);
      expect(serviceOf(edited, "l2")?.changes).toEqual(["reload"]);
      // A reload is a signal: the master takes its time to replace the workers.
      await expect
        .poll(async () => (await pids("l2")).workers.filter((pid) => before.workers.includes(pid)), {
          timeout: 20_000,
        })
        .toEqual([]);
      expect((await pids("l2")).master).toEqual(before.master);
      expect(await lab.host("l2").sh("ls /etc/nginx | grep -c 'nginx.conf.*~'")).toBe("2\n");
      expect(changedOf(await good())).toEqual([]);
    });

    test("a configuration that nginx refuses is not put in place; the host serves on, and the next batch is not begun", async () => {
      const right = await lab.host("l1").sh("cat /etc/nginx/nginx.conf");
      const broken = await push("-e", `@${bad(folder)}`);
      expect(broken.status).toBe(2);
      const failed = resourcesOf(broken).filter(({ status }) => status === "failed");
      expect(failed).toEqual([
        expect.objectContaining({
          host: "l1",
          type: "file",
          error: expect.stringContaining("is not put in place"),
        }),
      ]);
      const said = broken.events.flatMap((event) => (event.event === "output" ? [event.text] : []));
      expect(said.join("")).toMatch(/unknown directive "no_such_word" in \S+:\d+/);
      expect(broken.events).toContainEqual({
        event: "stopped",
        role: "nginx",
        hosts: ["l2"],
        reason: "role nginx failed on l1",
      });
      expect(await lab.host("l1").sh("cat /etc/nginx/nginx.conf")).toBe(right);
      expect(await page("l1")).toMatch(/^200 /);
    });

    test("what was stopped, disabled and edited by hand is brought back, on that host alone", async () => {
      await lab
        .host("l2")
        .sh("service nginx stop; update-rc.d nginx disable; echo '# mine' >>/etc/nginx/nginx.conf");
      const planned = await good("--check", "--diff");
      const repaired = await good("--diff");
      expect(deeds(repaired)).toEqual(deeds(planned));
      expect(changedOf(repaired, "l1")).toEqual([]);
      expect(changedOf(repaired, "l2")).toEqual(["file nginx.conf", "service nginx"]);
      expect(serviceOf(repaired, "l2")?.changes).toEqual(["enable", "start"]);
      expect(await page("l2")).toMatch(/^200 /);
    });

    test("--extra-vars move it to another port, which answers when the push is over", async () => {
      await good("-e", "port=8080 greeting=Servus");
      for (const leaf of lab.leaves) expect(await page(leaf, 8080)).toContain(`Servus from ${leaf}`);
    });

    test("of mop nothing runs on any host afterwards; nginx does", async () => {
      const ours = async () => (await processesOf(lab)).filter((line) => !NGINX.test(line));
      await expect.poll(ours, { timeout: CLEAN_WITHIN_MS, interval: 500 }).toEqual([]);
      expect((await pids("l1")).master).toHaveLength(1);
    });
  },
);

/** Variables that make the template say something which nginx doesn't know. */
function bad(folder: string): string {
  const file = path.join(folder, "bad.json");
  writeFileSync(file, JSON.stringify({ serverLines: ["no_such_word on;"] }));
  return file;
}
