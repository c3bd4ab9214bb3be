import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { loadPolicy } from "../../../engine/controller/policy/load-policy.js";
import { mapPosition } from "../../../engine/controller/policy/source-positions.js";
import { PolicyError } from "../../../engine/controller/policy-error.js";
import { type ShippedRole, shipRole } from "../../../engine/controller/ship/ship-role.js";
import type { Role } from "../../../engine/vocabulary/language.js";
import { rejection, tempFolder } from "./temp-folder.js";

class ResourceError extends Error {}

async function ship(files: Record<string, string>, name = "web"): Promise<ShippedRole> {
  const loaded = await loadPolicy(await tempFolder(files));
  const role = loaded.policy.roles.map((entry) => entry.role as Role).find((one) => one.name === name)!;
  return shipRole(loaded, role, ["defineRole", "definePolicy", "tomlInventory", "MARK", "ResourceError"]);
}

/** Loads what travels as a leaf does: `require` knows the shipped packages, "mop" and Node's own modules. */
function load(shipped: ShippedRole): Role {
  const native = createRequire(import.meta.url);
  const run = (code: string, require: (name: string) => unknown) => {
    const module = { exports: {} };
    new Function("module", "exports", "require", code)(module, module.exports, require);
    return module.exports;
  };
  const require = (name: string): unknown => {
    if (name === "mop") return { ResourceError };
    const found = shipped.packages.get(name);
    return found ? run(Buffer.from(found.bytes).toString(), require) : native(name);
  };
  return (run(shipped.code, require) as { role: Role }).role;
}

const context = (vars: object) => ({ vars }) as unknown as Parameters<Role["main"]>[0];

const PACKAGES = {
  "node_modules/esm/package.json": `{"name":"esm","type":"module","exports":{".":"./index.js","./sub":"./sub.js"}}`,
  "node_modules/esm/index.js": `export default function twice(x) { return 2 * x; } export const one = 1;`,
  "node_modules/esm/sub.js": `export const sub = "sub";`,
  "node_modules/cjs/package.json": `{"name":"cjs"}`,
  "node_modules/cjs/index.js": `Object.defineProperty(exports, "__esModule", { value: true }); exports.default = "inner"; exports.two = 2;`,
  "node_modules/api/package.json": `{"name":"api"}`,
  "node_modules/api/index.js": `exports.hosts = async () => ({ hosts: { l1: {} } }); exports.big = "${"x".repeat(5000)}";`,
};

describe("shipRole", () => {
  it("leaves the policy's hooks, inventory and imports at home", async () => {
    const shipped = await ship({
      ...PACKAGES,
      "package.json": `{"type":"module"}`,
      "balancer.ts": `export const drain = (name: string) => console.log("SECRET-BALANCER", name);`,
      "policy.ts": `import { definePolicy, defineRole } from "mop";
        import { hosts } from "api";
        import { drain } from "./balancer.js";
        import os from "node:os";
        const token = await Promise.resolve("SECRET-TOKEN");
        const vars = { hidden: "SECRET-VARS", token };
        console.log.bind(token);
        export const web = defineRole({ name: "web", vars: { port: 80 }, async main({ vars }) { return vars.token; } });
        export default definePolicy({ inventory: hosts, vars, roles: [{ role: web, beforeContact(h) { drain(h.name + os.EOL) } }] });`,
    });
    expect(shipped.code).not.toMatch(/SECRET|require/);
    expect([...shipped.packages.keys()]).toEqual([]);
    expect(load(shipped).vars).toEqual({ port: 80 });
  });

  it("takes along what main mentions, and what completes it", async () => {
    const shipped = await ship({
      "policy.ts": `import { definePolicy, defineRole } from "mop";
        import path from "node:path";
        const table: Record<string, number> = {};
        table["a"] = 1;
        function base(name: string) { return path.basename(name) + table["a"]; }
        const web = defineRole({ name: "web", main: (c) => base(c.vars["p"] as string) as unknown as void });
        export { web as exported };
        export default definePolicy({ roles: [{ role: web }] });`,
    });
    expect(load(shipped).main(context({ p: "/x/y" }))).toBe("y1");
  });

  it("sends packages as modules of their own, shaped as Node's import gives them", async () => {
    for (const type of ["module", "commonjs"]) {
      const shipped = await ship({
        ...PACKAGES,
        "package.json": JSON.stringify({ type }),
        "policy.ts": `import { definePolicy, defineRole, ResourceError } from "mop";
          import twice, { one } from "esm"; import { sub } from "esm/sub"; import cjs, { two } from "cjs";
          import { big } from "api";
          export const unused = big;
          export const web = defineRole({ name: "web", main: () => [twice(4), one, sub, (cjs as any).default, two, new ResourceError("x").message] as any });
          export default definePolicy({ roles: [{ role: web }] });`,
      });
      expect([...shipped.packages.keys()].sort()).toEqual(["cjs", "esm", "esm/sub"]);
      expect(load(shipped).main(context({}))).toEqual([8, 1, "sub", "inner", 2, "x"]);
    }
  });

  it("changes the role's hash and no package's when the role changes", async () => {
    const policy = (
      text: string,
    ) => `import { definePolicy, defineRole } from "mop"; import { one } from "esm";
      export const web = defineRole({ name: "web", main: () => ["${text}", one] as any });
      export default definePolicy({ roles: [{ role: web }] });`;
    const a = await ship({ ...PACKAGES, "policy.ts": policy("a") });
    const again = await ship({ ...PACKAGES, "policy.ts": policy("a") });
    const b = await ship({ ...PACKAGES, "policy.ts": policy("b") });
    expect(again.module.hash).toBe(a.module.hash);
    expect(b.module.hash).not.toBe(a.module.hash);
    expect(b.packages.get("esm")!.hash).toBe(a.packages.get("esm")!.hash);
  });

  it("finds a role in the module that exports it, without its siblings", async () => {
    const shipped = await ship({
      "roles/index.ts": `export * from "./all.js";`,
      "roles/all.ts": `import { defineRole } from "mop";
        export const db = defineRole({ name: "db", main() { console.log("SIBLING"); } });
        export const web = defineRole({ name: "web", main: () => 7 as any });`,
      "policy.ts": `import { definePolicy } from "mop"; import { web, db } from "./roles/index.js";
        export default definePolicy({ roles: [{ role: web }, { role: db }] });`,
    });
    expect(shipped.code).not.toContain("SIBLING");
    expect(load(shipped).main(context({}))).toBe(7);
  });

  it("ships a role that isn't exported", async () => {
    const shipped = await ship({
      "policy.ts": `import { definePolicy, defineRole } from "mop";
        const web = defineRole({ name: "web", main: () => 1 as any });
        export default definePolicy({ roles: [{ role: web, afterContact() { console.log("HOOK"); } }] });`,
    });
    expect(shipped.code).not.toContain("HOOK");
    expect(load(shipped).main(context({}))).toBe(1);
  });

  it("ships a role that a function made", async () => {
    const shipped = await ship(
      {
        "policy.ts": `import { definePolicy, defineRole } from "mop";
          const make = (name: string) => defineRole({ name, main: () => name as any });
          export default definePolicy({ roles: ["a", "b"].map((name) => ({ role: make(name) })) });`,
      },
      "b",
    );
    expect(load(shipped).main(context({}))).toBe("b");
  });

  it.each([
    [
      "in the policy",
      `export default definePolicy({ vars: { secret }, roles: [{ role: ROLE, afterContact() { console.log("HOOK"); } }] });`,
    ],
    [
      "in a list of entries",
      `const entries = [{ role: ROLE, vars: { secret } }]; export default definePolicy({ roles: entries });`,
    ],
    [
      "in a table of roles",
      `const all = { "web": ROLE, other: secret }; export default definePolicy({ roles: [{ role: all.web }] });`,
    ],
    [
      "in one of two ways",
      `const web = secret ? ROLE : defineRole({ name: "other", main() {} }); export default definePolicy({ roles: [{ role: web }] });`,
    ],
    [
      "by a function without arguments",
      `const make = () => ROLE; export default definePolicy({ roles: [{ role: make() }] });`,
    ],
    [
      "where the list is mentioned by the role itself",
      `const all: any[] = [ROLE, () => all]; export default definePolicy({ roles: [{ role: all[0] }] });`,
    ],
  ])("ships a role that is defined %s", async (_place, policy) => {
    const role = `defineRole({ name: "web", vars: { port: 80 }, main: () => (ADDED) as any })`;
    for (const added of ["two + 1", ...(policy.includes("() => all") ? ["all.length + 1"] : [])]) {
      const shipped = await ship({
        "policy.ts": `import { definePolicy, defineRole } from "mop";
          const two = 2;
          const secret = "SECRET";
          ${policy.replace("ROLE", () => role.replace("ADDED", added))}`,
      });
      expect(load(shipped).main(context({}))).toBe(3);
      expect(load(shipped).vars).toEqual({ port: 80 });
    }
  });

  it("leaves what surrounds a role in a policy at home, and its lines are right", async () => {
    const shipped = await ship({
      "policy.ts": `import { definePolicy, defineRole } from "mop";
        const token = await Promise.resolve("SECRET-TOKEN");
        const port = 80;
        export default definePolicy({
          vars: { token },
          roles: [
            { role: defineRole({ name: "db", main() { console.log("SIBLING", token); } }) },
            { role: defineRole({ name: "web", main() { throw new Error(String(port)); } }), beforeContact() { console.log("HOOK", token); } },
          ],
        });`,
    });
    expect(shipped.code).not.toMatch(/SECRET|SIBLING|HOOK/);
    expect(() => load(shipped).main(context({}))).toThrow("80");
    const lines = shipped.code.split("\n");
    const line = lines.findIndex((text) => text.includes("new Error"));
    const column = lines[line]!.indexOf("new Error");
    expect(mapPosition(shipped.map, line + 1, column + 1)).toMatchObject({ line: 8 });
  });

  it("warns of a package that is imported for its side effects", async () => {
    const shipped = await ship({
      ...PACKAGES,
      "policy.ts": `import { definePolicy, defineRole } from "mop";
        import "api";
        export const web = defineRole({ name: "web", main() {} });
        export default definePolicy({ roles: [{ role: web }] });`,
    });
    expect(shipped.warnings.join()).toMatch(/^role web: .*policy\.ts:2: "api" is imported/);
  });

  it("names the place of an await that would run on every host", async () => {
    const error = await rejection(
      ship({
        "policy.ts": `import { definePolicy, defineRole } from "mop";
const answer = await Promise.resolve(42);
export const web = defineRole({ name: "web", main: () => answer as any });
export default definePolicy({ roles: [{ role: web }] });`,
      }),
    );
    expect(error).toBeInstanceOf(PolicyError);
    expect(error.message).toMatch(/policy\.ts:2:\d+: .*await/);
  });

  it("names a package with a native addon", async () => {
    const error = await rejection(
      ship({
        "node_modules/nat/package.json": `{"name":"nat"}`,
        "node_modules/nat/index.js": `module.exports = require("./x.node");`,
        "node_modules/nat/x.node": `\u007fELF`,
        "policy.ts": `import { definePolicy, defineRole } from "mop";
export const web = defineRole({ name: "web", main: async () => { const nat = await import("nat"); console.log(nat); } });
export default definePolicy({ roles: [{ role: web }] });`,
      }),
    );
    expect(error.message).toMatch(/the package nat can't travel to hosts: .*\.node/);
  });
});
