import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab } from "../../support/lab.js";
import { built, changedOf, type MopRun, mop, resourcesOf, summaryOf } from "../../support/mop.js";
import { type PolicyFolder, policyFolder } from "../../support/policies.js";
import { tarOf } from "../../unit/leaf/resources/make-archive.js";

const POLICY = `
import { definePolicy, defineRole } from "mop";

const site = defineRole({
  name: "site",
  async main({ vars, file, copyTree, archive, lineInFile, blockInFile, fetch, command, script, waitFor, assert }) {
    const at = (name: string) => \`\${vars.root}/\${name}\`;
    await assert("there is a root", { that: typeof vars.root === "string" });
    await copyTree(at("www"), { source: "site", purge: true });
    await archive(at("app"), { source: "app.tar", strip: 1 });
    await lineInFile(at("www/conf"), { regexp: "^port ", line: "port 9090" });
    await blockInFile(at("www/conf"), { block: "a = 1\\nb = 2" });
    await file(at("page"), { url: String(vars.url), checksum: String(vars.checksum), mode: 0o600 });
    await command("cp", { args: ["www/conf", "copied conf"], cwd: String(vars.root), creates: at("copied conf") });
    await script("scripts/mark.sh", { args: [at("marked")], creates: at("marked") });
    await waitFor("the mark", { file: at("marked"), contains: "by /", timeout: 10 });
    await fetch(at("www/conf"), { to: "kept" });
  },
});

export default definePolicy({ roles: [{ role: site, groups: ["web"] }] });
`;

const FILES = {
  "site/index.html": "<p>hello</p>\n",
  "site/.hidden": "x\n",
  "site/conf": "host a\nport 8080\n",
  "site/d/large.bin": Buffer.alloc(1_500_000, "0123456789abcdef"),
  "app.tar": tarOf([{ name: "app-1/bin/run", mode: 0o755, content: "#!/bin/sh\n" }]),
  "scripts/mark.sh": 'echo "by $0" > "$1"\n',
};

const ALL = ["copyTree", "archive", "lineInFile", "blockInFile", "file", "command", "script", "fetch"];

describe.skipIf(!built)("types that travel in parts, on two leaves behind two bastions", () => {
  let lab: Lab;
  let site: PolicyFolder;
  let page: string;
  const push = (...args: string[]) =>
    mop(["push", site.policy, ...lab.options, "-e", page, "-o", "json", ...args]);
  const on = (leaf: string, name: string) => path.join(lab.host(leaf).folder, name);
  const kept = (leaf: string) => path.join(site.folder, "kept", leaf, on(leaf, "www/conf"));
  const types = (run: MopRun, leaf: string) => changedOf(run, leaf).map((name) => name.split(" ")[0]);

  beforeAll(async () => {
    lab = await createLab({ leaves: 2 });
    site = policyFolder(POLICY, FILES);
    chmodSync(path.join(site.folder, "scripts/mark.sh"), 0o755);
    const { createServer } = await import("node:http");
    const { createHash } = await import("node:crypto");
    const body = "from the web\n";
    const server = createServer((_, response) => response.end(body)).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const checksum = createHash("sha256").update(body).digest("hex");
    page = `url=http://127.0.0.1:${port}/ checksum=${checksum}`;
    stop = () => void server.close();
  });
  let stop = (): void => undefined;
  afterAll(async () => {
    stop();
    await lab.close();
    site.remove();
  });

  test("a check tells what all of them would do, and changes nothing anywhere", async () => {
    const run = await push("--check", "--diff");
    expect(run.status, run.stderr).toBe(0);
    for (const leaf of lab.leaves) {
      expect(types(run, leaf)).toEqual(ALL);
      expect(existsSync(on(leaf, "www"))).toBe(false);
    }
    expect(existsSync(path.join(site.folder, "kept"))).toBe(false);
  });

  test("a push does it, and what is fetched lies by the host's name beside the policy", async () => {
    const run = await push();
    expect(run.status, run.stderr + JSON.stringify(resourcesOf(run).filter((r) => r.error))).toBe(0);
    for (const leaf of lab.leaves) {
      expect(types(run, leaf)).toEqual(ALL);
      expect(readdirSync(on(leaf, "www")).sort()).toEqual([".hidden", "conf", "d", "index.html"]);
      expect(readFileSync(on(leaf, "www/d/large.bin")).equals(FILES["site/d/large.bin"])).toBe(true);
      expect(lstatSync(on(leaf, "app/bin/run")).mode & 0o777).toBe(0o755);
      expect(readFileSync(on(leaf, "page"), "utf8")).toBe("from the web\n");
      expect(readFileSync(on(leaf, "marked"), "utf8")).toMatch(/^by .*\/mark\.sh\n$/);
      expect(readFileSync(kept(leaf), "utf8")).toBe(
        "host a\nport 9090\n# BEGIN managed by mop\na = 1\nb = 2\n# END managed by mop\n",
      );
    }
  });

  test("what was edited on the host is what the next push brings back as it shall be, and no more", async () => {
    const [leaf] = lab.leaves as [string];
    writeFileSync(on(leaf, "www/index.html"), "edited\n");
    writeFileSync(on(leaf, "www/extra"), "");
    const run = await push();
    expect(run.status, run.stderr).toBe(0);
    const tree = resourcesOf(run).find((one) => one.host === leaf && one.type === "copyTree");
    expect(tree?.changes).toEqual(["content", "remove"]);
  });

  test("a second push over edits of the copied file itself ends where it began", async () => {
    // lineInFile and blockInFile edit what copyTree copied: each push puts it back, and edits it again.
    const run = await push();
    expect(run.status, run.stderr).toBe(0);
    for (const leaf of lab.leaves) {
      expect(types(run, leaf)).toEqual(["copyTree", "lineInFile", "blockInFile"]);
      expect(summaryOf(run).hosts[leaf]).toMatchObject({ failed: 0 });
    }
  });
});
