/**
 * What OpsMop documents of its push mode and doesn't keep, in the order of that list: here each is kept. What needs root
 * on a host (ownership, packages, services, accounts) is in test/containers/promises.test.ts.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab, type LabOptions } from "../../support/lab.js";
import {
  built,
  changedOf,
  connectedOf,
  type MopRun,
  mop,
  resourcesOf,
  unreachableOf,
} from "../../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../../support/policies.js";

/** A link is given up after so much silence, in ms: what is longer is no silence to mop, since heartbeats go on. */
const PATIENCE_MS = 8_000;

describe.skipIf(!built)("promises of OpsMop's push mode", () => {
  let lab: Lab;
  const policies: PolicyFolder[] = [];
  beforeAll(async () => {
    lab = await createLab({ leaves: 3 });
  });
  afterEach(() => {
    for (const policy of policies.splice(0)) policy.remove();
  });
  afterAll(() => lab.close());

  const write = (source: string, files = {}) => {
    const policy = policyFolder(source, files);
    policies.push(policy);
    return policy.policy;
  };
  const push = (source: string, ...args: string[]) =>
    mop(["push", write(source), ...lab.options, "-o", "json", ...args]);
  const there = (leaf: string, name: string) => path.join(lab.host(leaf).folder, name);
  /** In a lab of its own. */
  async function within(options: LabOptions, work: (lab: Lab) => Promise<void>): Promise<void> {
    const own = await createLab(options);
    try {
      await work(own);
    } finally {
      await own.close();
    }
  }
  const statusesOf = (run: MopRun) => resourcesOf(run).map(({ type, status }) => `${type} ${status}`);

  test("1. --check over push applies nothing: no file, no command, no hook, not even in a later role", async () => {
    const source = `
import { definePolicy, defineRole } from "mop";
const one = defineRole({ name: "one", async main({ vars, directory, file, link, shell }) {
  await directory(\`\${vars.root}/checked\`);
  await file(\`\${vars.root}/checked/a\`, { content: "a" });
  await link(\`\${vars.root}/checked/b\`, { to: "a" });
  await shell(\`touch \${vars.root}/ran\`);
} });
const two = defineRole({ name: "two", async main({ vars, file }) {
  await file(\`\${vars.root}/checked/c\`, { content: "c" });
} });
const hooks = { beforeContact() { console.log("hook"); }, afterContact() { console.log("hook"); } };
export default definePolicy({ roles: [{ role: one, groups: ["web"], ...hooks }, { role: two, groups: ["web"], ...hooks }] });
`;
    const before = lab.leaves.map((leaf) => readdirSync(lab.host(leaf).folder));
    const checked = await push(source, "--check", "--diff");
    expect(checked.status, checked.stdout).toBe(0);
    expect(checked.stderr).not.toContain("hook");
    expect(lab.leaves.map((leaf) => readdirSync(lab.host(leaf).folder))).toEqual(before);
    const would = ["directory checked", "file a", "link b", expect.stringMatching(/^shell /), "file c"];
    for (const leaf of lab.leaves) expect(changedOf(checked, leaf)).toEqual(would);
    // It was no idle check: the same without it does all that.
    const applied = await push(source);
    for (const leaf of lab.leaves) expect(changedOf(applied, leaf)).toEqual(would);
    expect(applied.stderr).toContain("hook");
    expect(existsSync(there("l3", "ran"))).toBe(true);
  });

  test("2. via works, as OpsMop's own inventories have it, over several hosts", async () => {
    const inventory = lab.inventoryToml
      .replaceAll("mop_via", "opsmop_via")
      .replace(/mop_host/g, "opsmop_host");
    expect(inventory).toContain("opsmop_via");
    const policy = write(rolePolicy("await file(`${vars.root}/via`, { content: host.name });"), {
      "inventory.toml": inventory,
    });
    const run = await mop(["push", policy, "-o", "json", ...lab.options.slice(2)]);
    expect(run.status, run.stderr).toBe(0);
    const routes = connectedOf(run).map(({ route }) => route);
    expect(routes.sort()).toEqual(lab.leaves.map((leaf) => ["b1", "b2", leaf]));
    expect(readFileSync(there("l2", "via"), "utf8")).toBe("l2");
  });

  test("3. serial waits: a host is taken out when the one before is done and back in", async () => {
    const log = path.join(lab.folder, "order");
    const body = `await shell(\`echo start \${host.name} >> ${log}; sleep 0.4; echo end \${host.name} >> ${log}\`);`;
    const say = (what: string) =>
      `async (host) => { const { appendFileSync } = await import("node:fs"); appendFileSync("${log}", "${what} " + host.name + "\\n"); }`;
    const entry = `serial: 1, beforeContact: ${say("out")}, afterContact: ${say("in")}`;
    const run = await push(rolePolicy(body, entry));
    expect(run.status, run.stderr).toBe(0);
    expect(readFileSync(log, "utf8").trim().split("\n")).toEqual(
      lab.leaves.flatMap((leaf) => ["out", "start", "end", "in"].map((what) => `${what} ${leaf}`)),
    );
  });

  test("4. silence that is longer than a link's patience does not end a run: a role that computes, a command that waits", async () => {
    const body = `
      const busy = new Int32Array(new SharedArrayBuffer(4));
      if (host.name === "l1") Atomics.wait(busy, 0, 0, ${PATIENCE_MS + 2_000});
      if (host.name === "l2") await shell("sleep ${PATIENCE_MS / 1000 + 2}");
      await file(\`\${vars.root}/awake\`, { content: host.name });`;
    const run = await push(rolePolicy(body));
    expect(run.status, run.stdout).toBe(0);
    expect(run.ms).toBeGreaterThan(PATIENCE_MS + 2_000);
    expect(unreachableOf(run)).toEqual([]);
    for (const leaf of lab.leaves) expect(readFileSync(there(leaf, "awake"), "utf8")).toBe(leaf);
  });

  test("5. passwords are printed nowhere, whether they are right or wrong", async () => {
    const password = "c0rrect-horse";
    const asks = { password, acceptsKey: false };
    const hosts = {
      l1: { ...asks, vars: { mop_password: password } },
      l2: { ...asks, vars: { mop_password: "wr0ng-horse" } },
    };
    await within({ leaves: 2, hosts }, async (own) => {
      const policy = write(
        rolePolicy("await echo(JSON.stringify(vars)); await shell('env', { readOnly: true });"),
      );
      const runs = [
        await mop(["push", policy, ...own.options, "-v"]),
        await mop(["push", policy, ...own.options, "-v", "-o", "json"]),
        await mop(["inventory", ...own.options, "-v", "-o", "json"]),
        await mop(["validate", policy, ...own.options, "-v"]),
      ];
      // One did its work, one was refused, and neither says with what.
      expect(runs.map(({ status }) => status)).toEqual([4, 4, 0, 0]);
      expect(resourcesOf(runs[1]!, "l1").map(({ status }) => status)).toEqual(["ok", "ok"]);
      expect(unreachableOf(runs[1]!).map(({ host }) => host)).toEqual(["l2"]);
      for (const { stdout, stderr } of runs) expect(stdout + stderr).not.toMatch(/(c0rrect|wr0ng)-horse/);
    });
  });

  test("5. host keys are checked without being asked to: an unknown or changed one gets no login", async () => {
    const hosts = { l1: { knownAs: "unknown" }, l2: { knownAs: "another" } } as const;
    await within({ leaves: 3, hosts }, async (own) => {
      const run = await mop(["push", write(rolePolicy("await echo('here');")), ...own.options, "-o", "json"]);
      expect(run.status).toBe(4);
      expect(
        unreachableOf(run)
          .map(({ host, reason }) => [host, /host key/i.test(reason)])
          .sort(),
      ).toEqual([
        ["l1", true],
        ["l2", true],
      ]);
      expect([own.host("l1").logins, own.host("l2").logins]).toEqual([0, 0]);
    });
  });

  test("6. validate finds what is wrong, says that what is right is right, and contacts nothing", async () => {
    const logins = () => [...lab.hosts.values()].map((host) => host.logins);
    const before = logins();
    const validate = (body: string) =>
      mop(["validate", write(rolePolicy(body)), ...lab.options, "-o", "json"]);
    const right = await validate("await file(`${vars.root}/x`, { content: 'x' });");
    expect(right.status, right.stderr).toBe(0);
    expect(right.events[0]).toMatchObject({
      event: "valid",
      roles: [{ name: "site", hosts: ["l1", "l2", "l3"] }],
    });
    const wrong = await validate("await file(`${vars.root}/x`, { template: 'nowhere.j2' });");
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toContain("nowhere.j2");
    expect(logins()).toEqual(before);
  });

  test("6. conditions are conditions; changedWhen and failedWhen are called, with the result", async () => {
    const run = await push(
      rolePolicy(`
        if (host.name === "l2") await file(\`\${vars.root}/only-l2\`, { content: "" });
        await shell("echo same", { changedWhen: ({ stdout }) => stdout.includes("different") });
        await shell("echo different", { changedWhen: ({ stdout }) => stdout.includes("different") });
        await shell("exit 3", { failedWhen: ({ rc }) => rc !== 3, changedWhen: false });
        await shell("echo broken", { failedWhen: ({ stdout }) => stdout === "broken\\n" });`),
    );
    expect(run.status).toBe(2);
    expect(resourcesOf(run, "l1").map(({ status }) => status)).toEqual(["ok", "changed", "ok", "failed"]);
    expect(lab.leaves.map((leaf) => existsSync(there(leaf, "only-l2")))).toEqual([false, true, false]);
  });

  test("6. a delegated role runs on the other host, with its own host's name and variables", async () => {
    const body = "await file(`~/for-${host.name}`, { content: String(vars.root) });";
    const run = await push(rolePolicy(body, 'delegate: "b2", hosts: ["l1"]'));
    expect(run.status, run.stderr).toBe(0);
    expect(readFileSync(there("b2", "for-l1"), "utf8")).toBe(lab.host("l1").folder);
    expect(existsSync(there("l1", "for-l1"))).toBe(false);
  });

  test("8. a file from a URL is downloaded once, with a checksum and without", async () => {
    const body = "tea\n";
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.writeHead(200, {
        "content-length": body.length,
        "last-modified": "Wed, 21 Oct 2015 07:28:00 GMT",
      });
      response.end(request.method === "HEAD" ? undefined : body);
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    try {
      const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const checksum = createHash("sha256").update(body).digest("hex");
      const source = rolePolicy(`
        await file(\`\${vars.root}/plain\`, { url: "${at}/plain" });
        await file(\`\${vars.root}/summed\`, { url: "${at}/summed", checksum: "${checksum}" });`);
      const gets = () => asked.filter((line) => line.startsWith("GET")).length;
      expect(changedOf(await push(source, "--limit-hosts", "l1"))).toEqual(["file plain", "file summed"]);
      const downloads = gets();
      expect(downloads).toBe(2);
      expect(statusesOf(await push(source, "--limit-hosts", "l1"))).toEqual(["file ok", "file ok"]);
      expect(gets()).toBe(downloads);
      expect(readFileSync(there("l1", "plain"), "utf8")).toBe(body);
    } finally {
      server.close();
    }
  });

  test("8. a pushed file is replaced as a whole: who reads the old one reads it to its end", async () => {
    const place = there("l1", "whole.bin");
    const old = Buffer.alloc(3_000_000, "old ");
    const fresh = Buffer.alloc(3_000_000, "new ");
    writeFileSync(place, old);
    const reader = openSync(place, "r");
    try {
      const policy = write(rolePolicy("await file(`${vars.root}/whole.bin`, { source: 'whole.bin' });"), {
        "whole.bin": fresh,
      });
      let over = false;
      const watching = (async () => {
        let looks = 0;
        for (; !over; looks++) {
          const seen = await readFile(place);
          expect(seen.equals(old) || seen.equals(fresh), "torn").toBe(true);
        }
        return looks;
      })();
      const run = await mop(["push", policy, ...lab.options, "-o", "json", "--limit-hosts", "l1"]);
      over = true;
      expect(run.status, run.stderr).toBe(0);
      expect(await watching).toBeGreaterThan(3);
      expect(readFileSync(reader).equals(old)).toBe(true);
      expect(readFileSync(place).equals(fresh)).toBe(true);
    } finally {
      closeSync(reader);
    }
  });
});
