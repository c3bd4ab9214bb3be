import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readExtraVars } from "../../../engine/controller/extra-vars.js";
import {
  hostVariables,
  mergeVariables,
  planVariables,
  policyLayers,
  travellingHostVars,
} from "../../../engine/controller/variables.js";
import { definePolicy, defineRole } from "../../../engine/vocabulary/language.js";
import { rejection, tempFolder } from "./temp-folder.js";

const layer = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.integer());
const layers = fc.record({ host: layer, policy: layer, role: layer, entry: layer, extra: layer });

describe("variables", () => {
  it("take each name's value from the last layer that has it", () => {
    fc.assert(
      fc.property(layers, (all) => {
        const merged = mergeVariables(all);
        const order = [all.host, all.policy, all.role, all.entry, all.extra];
        for (const name of ["a", "b", "c", "d"])
          expect(merged[name]).toBe(order.findLast((one) => Object.hasOwn(one, name))?.[name]);
      }),
    );
  });
  it("are the same when the leaf puts together what travelled in parts", () => {
    fc.assert(
      fc.property(layers, (all) => {
        const plan = planVariables(all);
        const host = hostVariables(all.host, plan, all.extra);
        expect({ ...plan, ...host, ...all.extra }).toEqual(mergeVariables(all));
        expect({ ...host, ...plan, ...all.extra }).toEqual(mergeVariables(all));
      }),
    );
  });
  it("never carry passwords or other connection variables to hosts", () => {
    const vars = {
      mop_password: "p",
      mop_become_password: "q",
      mop_identity: "k",
      mop_host: "h",
      color: "blue",
    };
    expect(travellingHostVars(vars, "host l1")).toEqual({ mop_host: "h", color: "blue" });
  });
  it("must be plain data", () => {
    const role = defineRole({ name: "web", vars: { f: { g: () => 1 } }, main() {} });
    const policy = definePolicy({ roles: [{ role }] });
    expect(() => policyLayers(policy, policy.roles[0]!)).toThrow(
      "role web: vars.f.g is a function; variables are plain data, since they travel to hosts",
    );
  });
});

describe("--extra-vars", () => {
  it("reads words and files, the later over the earlier", async () => {
    const folder = await tempFolder({
      "a.json": `{"a":{"b":[1]},"x":1}`,
      "b.toml": `x = 2\nd = 2024-01-02`,
      "c.yaml": "x: 3\nlist: [a, b]\n",
    });
    expect(await readExtraVars(["@a.json", "@b.toml", "@c.yaml", "y=4 z='a b'"], folder)).toEqual({
      a: { b: [1] },
      x: 3,
      d: "2024-01-02",
      list: ["a", "b"],
      y: 4,
      z: "a b",
    });
  });
  it("reads an object on the command line too", async () => {
    expect(await readExtraVars(["a=1", ` {"a": {"b": [2]}, "c": null}`])).toEqual({ a: { b: [2] }, c: null });
    const { message } = await rejection(readExtraVars([`{"a": "s3cret", }`]));
    expect(message).toMatch(/^--extra-vars: what begins with "\{" is no valid JSON/);
    expect(message).not.toContain("s3cret");
  });
  it("says what is wrong", async () => {
    const folder = await tempFolder({ "bad.json": "{", "list.yaml": "- a", "x.txt": "" });
    expect((await rejection(readExtraVars(["nope"], folder))).message).toMatch(
      /--extra-vars: "nope" is no NAME=VALUE/,
    );
    expect((await rejection(readExtraVars(["@no.json"], folder))).message).toMatch(
      /no\.json: .*does not exist/,
    );
    expect((await rejection(readExtraVars(["@bad.json"], folder))).message).toMatch(
      /bad\.json: .*can't be read/,
    );
    expect((await rejection(readExtraVars(["@list.yaml"], folder))).message).toMatch(
      /list\.yaml: .*no names and values/,
    );
    expect((await rejection(readExtraVars(["@x.txt"], folder))).message).toMatch(/none of \.json/);
  });
});
