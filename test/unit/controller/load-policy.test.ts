import { existsSync, readdirSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Location, Message } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { messageError } from "../../../engine/controller/policy/esbuild-errors.js";
import { loadPolicy } from "../../../engine/controller/policy/load-policy.js";
import { mopPackage } from "../../../engine/controller/policy/mop-package.js";
import { PolicyError } from "../../../engine/controller/policy-error.js";
import { rejection, tempFolder } from "./temp-folder.js";

const ROLE = `import { definePolicy, defineRole } from "mop";
export const web = defineRole({ name: "web", main() {} });
`;

describe("loadPolicy", () => {
  beforeAll(() => {
    if (!existsSync(mopPackage().entry)) throw new Error("run `npm run build` first: policies import dist/");
  });

  it("loads a TypeScript policy anywhere, with local modules, and removes its traces", async () => {
    const before = readdirSync(os.tmpdir()).filter((name) => name.startsWith("mop-policy-"));
    const folder = await tempFolder({
      "roles/web.ts": `import { defineRole } from "mop";
        export const here: string = import.meta.url;
        export const web = defineRole({ name: "web", vars: { here, dir: import.meta.dirname }, main() {} });`,
      "policy.ts": `import { definePolicy } from "mop"; import { web } from "./roles/web.js";
        export default definePolicy({ vars: { at: import.meta.filename }, roles: [{ role: web }] });`,
    });
    const loaded = await loadPolicy(folder);
    expect(loaded.file).toBe(path.join(folder, "policy.ts"));
    expect(loaded.policy.roles[0]!.role.name).toBe("web");
    expect(loaded.policy.roles[0]!.role.vars).toEqual({
      here: `file://${folder}/roles/web.ts`,
      dir: `${folder}/roles`,
    });
    expect(loaded.policy.vars).toEqual({ at: `${folder}/policy.ts` });
    expect([...loaded.sources].sort()).toEqual([`${folder}/policy.ts`, `${folder}/roles/web.ts`]);
    expect(loaded.modules.get(`${folder}/roles/web.ts`)!.web).toBe(loaded.policy.roles[0]!.role);
    const after = readdirSync(os.tmpdir()).filter((name) => name.startsWith("mop-policy-"));
    expect(after.filter((name) => !before.includes(name))).toEqual([]);
  });

  it("resolves packages from where the policy lies", async () => {
    const folder = await tempFolder({
      "node_modules/one/package.json": `{"name":"one","type":"module","exports":"./index.js"}`,
      "node_modules/one/index.js": `export const one = 1; export const at = import.meta.url;`,
      "node_modules/two/package.json": `{"name":"two"}`,
      "node_modules/two/index.js": `exports.two = require("node:path").basename(__dirname);`,
      "policy.ts": `${ROLE}import { one, at } from "one"; import two from "two";
        export default definePolicy({ vars: { one, at, two: two.two }, roles: [{ role: web }] });`,
    });
    const { policy } = await loadPolicy(path.join(folder, "policy.ts"));
    expect(policy.vars).toEqual({ one: 1, at: `file://${folder}/node_modules/one/index.js`, two: "two" });
  });

  it("loads a CommonJS helper that requires builtins", async () => {
    const folder = await tempFolder({
      "helper.js": `const os = require("os"); module.exports = { eol: os.EOL };`,
      "other.cjs": `module.exports = { dir: __dirname };`,
      "policy.ts": `${ROLE}import helper from "./helper.js"; import other from "./other.cjs";
        export default definePolicy({ vars: { eol: helper.eol, ...other }, roles: [{ role: web }] });`,
    });
    const { policy } = await loadPolicy(folder);
    expect(policy.vars).toEqual({ eol: "\n", dir: folder });
  });

  const failures: [string, Record<string, string>, RegExp][] = [
    [
      "a syntax error",
      { "policy.ts": `${ROLE}\nexport default definePolicy({ roles: [ );` },
      /policy\.ts:4:40: unexpected "\)"/,
    ],
    ["a missing file", {}, /: there is no policy\.ts in this folder/],
    ["no default export", { "policy.ts": ROLE }, /policy\.ts: there is no default export; end the file with/],
    [
      "a default export of another kind",
      { "policy.ts": `export default { roles: [] };` },
      /is no policy; make it/,
    ],
    [
      "an import that can't be found",
      {
        "policy.ts": `import { x } from "./nowhere.js";\n${ROLE}\nexport default definePolicy({ vars: { x }, roles: [] });`,
      },
      /policy\.ts:1:19: the import "\.\/nowhere\.js" can't be found/,
    ],
    [
      "a package that can't be found",
      {
        "policy.ts": `${ROLE}import y from "not-here";\nexport default definePolicy({ vars: { y }, roles: [] });`,
      },
      /policy\.ts:3:15: the import "not-here" can't be found; as a package it has to be installed where/,
    ],
    [
      "a throw at the top",
      {
        "policy.ts": `${ROLE}\nconst a: number = 1;\nif (a) throw new Error("no token in the environment");`,
      },
      /policy\.ts:5:14: the policy failed while it was loaded: no token in the environment/,
    ],
    [
      "a throw in an imported module",
      {
        "policy.ts": `import "./below.js";\n${ROLE}`,
        "below.ts": `interface A { b: string }\nconst f = (a: A | null) => (a as A).b;\nf(null);`,
      },
      /below\.ts:2:\d+: the policy failed while it was loaded: Cannot read prop/,
    ],
    [
      "two roles of one name",
      {
        "policy.ts": `${ROLE}const other = defineRole({ name: "web", main() {} });
export default definePolicy({ roles: [{ role: web }, { role: other }] });`,
      },
      /two roles have the name "web"/,
    ],
    [
      "an unknown key of an entry",
      { "policy.ts": `${ROLE}export default definePolicy({ roles: [{ role: web, group: ["a"] }] });` },
      /role web: roles\[0\] has the unknown key "group"/,
    ],
  ];
  it.each(failures)("tells %s in one sentence with its place", async (_name, files, pattern) => {
    const error = await rejection(loadPolicy(await tempFolder(files)));
    expect(error).toBeInstanceOf(PolicyError);
    expect(error.message).toMatch(pattern);
    expect(error.message).not.toContain("\n");
  });

  it("tells a policy that doesn't exist", async () => {
    const error = await rejection(loadPolicy("nowhere/policy.ts", { cwd: await tempFolder() }));
    expect(error.message).toMatch(/nowhere\/policy\.ts: the policy does not exist$/);
  });
});

it("a file that can't be read is named itself, not the place in esbuild that met it", () => {
  const detail = Object.assign(new Error("EACCES: permission denied"), {
    code: "EACCES",
    path: "/p/policy.ts",
  });
  const location = { file: "../esbuild/main.js", line: 1552, column: 22 } as Location;
  const error = messageError({ text: detail.message, location, detail } as Message, "/p");
  expect(error.message).toMatch(/policy\.ts: the file can't be read \(EACCES\)$/);
});
