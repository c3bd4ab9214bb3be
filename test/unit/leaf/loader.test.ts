import { expect, test } from "vitest";
import { ResourceError } from "../../../engine/leaf/errors.js";
import { facade } from "../../../engine/leaf/modules/facade.js";
import { ModuleLoader } from "../../../engine/leaf/modules/loader.js";
import { FakeHost } from "../../support/fake-wing.js";

function load(text: string, packages: Record<string, string> = {}) {
  const host = new FakeHost();
  const blobs = {
    blob: async (hash: string) => host.blobs.get(hash) ?? Promise.reject(new Error("it is gone")),
  };
  const hashes = Object.fromEntries(Object.entries(packages).map(([name, code]) => [name, host.add(code)]));
  return new ModuleLoader(blobs, { mop: facade((text) => text) }, console).load({
    hash: host.add(text),
    file: "role.js",
    packages: hashes,
  });
}

test("a module requires Node's builtins with and without the prefix", async () => {
  const { same } = await load(
    `exports.same = require("fs") === require("node:fs") && typeof require("fs/promises");`,
  );
  expect(same).toBe("object");
});

test("a module requires the packages that came with it, and these each other, once each", async () => {
  const { value } = await load(
    `exports.value = [require("a").b.n, require("b").n, require("require:c#2")];`,
    {
      a: `exports.b = require("b"); exports.b.n++;`,
      b: `exports.n = 1;`,
      "require:c#2": `module.exports = "c";`,
    },
  );
  expect(value).toEqual([2, 2, "c"]);
});

test("packages that require each other in a circle see what is there so far", async () => {
  const { value } = await load(`exports.value = require("a").ofB;`, {
    a: `exports.early = 1; exports.ofB = require("b").seen;`,
    b: `exports.seen = require("a").early;`,
  });
  expect(value).toBe(1);
});

test("mop gives the class of the errors that resources throw, and definitions as data", async () => {
  const { error, role } = await load(`const mop = require("mop");
    exports.error = mop.ResourceError; exports.role = mop.defineRole({ name: "web" });`);
  expect(error).toBe(ResourceError);
  expect(role).toEqual({ name: "web", "mop:kind": "role" });
});

test.each(["left-pad", "./file.js", "/etc/passwd", "../x", "_http_nothing"])(
  "what did not come along can't be required: %s",
  async (name) => {
    await expect(load(`require(${JSON.stringify(name)});`)).rejects.toThrow(
      `the module "${name}" did not come along with the role`,
    );
  },
);

test("a builtin that this Node lacks is named with Node's version", async () => {
  await expect(load(`require("node:nothing");`)).rejects.toThrow(
    `the Node on this host (${process.version}) has no module "node:nothing"`,
  );
});

test("a package that can't be fetched is named", async () => {
  const host = new FakeHost();
  const blobs = {
    blob: async (hash: string) => host.blobs.get(hash) ?? Promise.reject(new Error("it was not offered")),
  };
  const wanted = { hash: host.add(""), file: "role.js", packages: { yaml: "0" } };
  await expect(new ModuleLoader(blobs, {}, console).load(wanted)).rejects.toThrow(
    "the package yaml can't be fetched: it was not offered",
  );
});

test("a package that threw is evaluated anew when it is asked for again", async () => {
  const { value } = await load(
    `globalThis.mopTries = 0; try { require("a"); } catch {} exports.value = require("a").n; delete globalThis.mopTries;`,
    { a: `if (globalThis.mopTries++ === 0) throw new Error("no"); exports.n = 2;` },
  );
  expect(value).toBe(2);
});
