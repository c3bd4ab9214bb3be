import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { fileReferences } from "../../../engine/controller/files/file-references.js";
import { typeCheck } from "../../../engine/controller/policy/type-check.js";
import { built, mop, resourcesOf } from "../../support/mop.js";
import { testPackage } from "../controller/scripted.js";
import { tempFolder } from "../controller/temp-folder.js";

/**
 * Types whose examples need more than any machine has, and what that is: they are only type-checked here, and tried in
 * containers with cases of their own. The examples of all other types run.
 */
const NEEDS: Readonly<Record<string, string>> = {
  package: "a package manager and its lists",
  repository: "apt or dnf, and root",
  service: "a service manager and its services",
  cron: "cron, and root",
  sysctl: "a kernel that may be changed, and root",
  hostname: "root",
  mount: "fstab, and root",
  kernelModule: "Linux's modules, and root",
  user: "the host's programs for accounts, and root",
  group: "the host's programs for accounts, and root",
  authorizedKey: "an account",
  knownHost: "root",
  git: "a repository that can be reached",
  reboot: "root",
};

/** Files of the host that examples change or read. */
const THERE: Readonly<Record<string, string>> = {
  "/etc/hosts": "127.0.0.1 localhost\n",
  "/etc/machine-id": "0123456789abcdef0123456789abcdef\n",
  "/etc/ssh/sshd_config": "#PermitRootLogin prohibit-password\n",
};

/** Function of the manual to the code of its examples. */
const examples = new Map(
  readFileSync("docs/resources.md", "utf8")
    .split(/^### /m)
    .slice(1)
    .map((section) => [
      section.slice(0, section.indexOf("\n")),
      [...section.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code!),
    ]),
);
const runnable = [...examples.keys()].filter((name) => !(name in NEEDS));

/** What `main` takes apart; `package` is a reserved word. */
const taken = [...examples.keys()].map((name) => (name === "package" ? "package: pkg" : name)).join(", ");

/** A policy of one role for each function, whose body is its examples. */
const policyOf = (names: readonly string[], edit = (code: string) => code): string => `
import { definePolicy, defineRole } from "mop";
${names
  .map(
    (name) => `const role_${name} = defineRole({
  name: "${name}",
  async main({ ${taken}, vars, facts, host, check }) {
${examples
  .get(name)!
  .map((code) => `    {\n${edit(code)}    }`)
  .join("\n")}
  },
});`,
  )
  .join("\n")}
export default definePolicy({ roles: [${names.map((name) => `{ role: role_${name} }`).join(", ")}] });
`;

/** Files that the examples find beside their policy: each is there, whatever is in it, but archives are archives. */
function filesBeside(): Record<string, string | Uint8Array> {
  const files: Record<string, string | Uint8Array> = {};
  for (const code of runnable.flatMap((name) => examples.get(name)!))
    for (const reference of fileReferences(`(async () => {${code}})`).required) {
      files[reference.kind === "folder" ? path.join(reference.path, "index.html") : reference.path] =
        /\.tar\.gz$/.test(reference.path)
          ? execFileSync("tar", ["-czf", "-", "package.json"])
          : "an example\n";
    }
  return files;
}

/** Absolute paths lie below a folder, in which the folders that they are in exist; accounts are one's own. */
function onThisMachine(code: string, host: string): string {
  const own = { owner: process.getuid!(), group: process.getgid!() };
  return code
    .replace(/(?<=")\/[^"]*(?=")/g, (name) => {
      mkdirSync(path.dirname(path.join(host, name)), { recursive: true });
      return path.join(host, name);
    })
    .replace(/\b(owner|group): "[^"]*"/g, (_text, option: "owner" | "group") => `${option}: ${own[option]}`);
}

describe("the manual's examples", () => {
  it("are there for each function", () => {
    expect(examples.size).toBeGreaterThanOrEqual(5);
    for (const [name, codes] of examples) expect(codes.join("\n"), name).toMatch(callOf(name));
  });

  it("are left out of the run for types that exist only", () => {
    expect([...examples.keys()]).toEqual(expect.arrayContaining(Object.keys(NEEDS)));
  });

  it("have the right types", async () => {
    const folder = await tempFolder({ "examples.ts": policyOf([...examples.keys()]) });
    const file = path.join(folder, "examples.ts");
    await typeCheck({ file, folder, sources: [file] }, await testPackage());
  });

  it.skipIf(!built)("run under `mop local --check` where any machine has what they need", async () => {
    const host = await tempFolder(THERE);
    const folder = await tempFolder({
      "policy.ts": policyOf(runnable, (code) => onThisMachine(code, host)),
      ...filesBeside(),
    });
    const before = readdirSync(host, { recursive: true }).sort();
    const run = await mop(["local", folder, "--check", "--no-type-check", "-o", "json"]);
    const resources = resourcesOf(run);
    expect(
      resources.filter(({ status }) => status === "failed"),
      run.stderr,
    ).toEqual([]);
    for (const name of runnable)
      expect(
        resources.filter(({ role, type }) => role === name && type === name).length,
        `resources of the examples of ${name}`,
      ).toBe(
        examples
          .get(name)!
          .join("\n")
          .match(new RegExp(callOf(name), "g"))!.length,
      );
    expect(run.status, run.stderr).toBe(0);
    expect(readdirSync(host, { recursive: true }).sort()).toEqual(before);
  });
});

function callOf(name: string): RegExp {
  return new RegExp(`\\bawait ${name === "package" ? "pkg" : name}\\(`);
}
