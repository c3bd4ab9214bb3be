import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleForLeaf } from "../../../engine/controller/ship/leaf-modules.js";
import { bundlePackage } from "../../../engine/controller/ship/packages.js";
import { ModuleLoader } from "../../../engine/leaf/modules/loader.js";
import { FakeHost } from "../../support/fake-wing.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "mop-shipped-"));
  const greeting = path.join(folder, "node_modules/greeting");
  mkdirSync(greeting, { recursive: true });
  writeFileSync(
    path.join(greeting, "package.json"),
    '{"name":"greeting","version":"1.0.0","type":"module","main":"m.js"}',
  );
  writeFileSync(
    path.join(greeting, "m.js"),
    'export const words = async () => (await import("node:path")).join("a", "b");',
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  [
    "at the top",
    'import { words } from "greeting"; import os from "node:os"; export const run = async () => (await words()) + os.EOL;',
  ],
  [
    "with import()",
    'export const run = async () => (await (await import("greeting")).words()) + (await import("node:os")).EOL;',
  ],
])("packages and builtins that a role imports %s load on a leaf", async (_where, entry) => {
  const bundle = await bundleForLeaf({ entry, folder, mopNames: [] });
  const host = new FakeHost();
  const packages: Record<string, string> = {};
  for (const use of bundle.packages) packages[use.key] = host.add(await bundlePackage(use, folder));
  const loader = new ModuleLoader({ blob: async (hash) => host.blobs.get(hash)! }, {}, console);
  const { run } = await loader.load({ hash: host.add(bundle.code), file: "role.js", packages });
  expect(await (run as () => Promise<string>)()).toBe(`a/b${os.EOL}`);
});
