import { createHash } from "node:crypto";
import { lstat, mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { FetchedFiles } from "../../../engine/controller/files/fetched-files.js";
import type { FetchEvent, LeafEvent } from "../../../engine/vocabulary/events.js";
import type { RoleOrder } from "../../../engine/vocabulary/order.js";
import { INVENTORY, OK, runScripted } from "./scripted.js";
import { rejection, tempFolder } from "./temp-folder.js";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

const piece = (text: string, more: Partial<FetchEvent> = {}): FetchEvent => ({
  event: "fetch",
  folder: "fetched",
  path: "/etc/motd",
  size: Buffer.byteLength(text),
  hash: sha256(text),
  offset: 0,
  bytes: Buffer.from(text),
  ...more,
});

const parts = { host: "l1", fetchTo: ["fetched"], check: false };

/** Everything below a folder, by path. */
async function below(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).sort();
}

describe("a file that a host sends", () => {
  it("lies below the folder that was named and the host's name, for nobody else to read", async () => {
    const folder = await tempFolder();
    const fetched = new FetchedFiles({ ...parts, folder });
    await fetched.take(piece("hello\n"));
    const at = `${folder}/fetched/l1/etc/motd`;
    expect(await readFile(at, "utf8")).toBe("hello\n");
    expect((await lstat(at)).mode & 0o777).toBe(0o600);
    expect(await fetched.held()).toEqual({ fetched: { "/etc/motd": sha256("hello\n") } });
  });

  it("is put together from its pieces, and takes the old one's place when it is whole", async () => {
    const folder = await tempFolder({ "fetched/l1/etc/motd": "old" });
    const fetched = new FetchedFiles({ ...parts, folder });
    const whole = { size: 6, hash: sha256("abcdef") };
    await fetched.take(piece("abc", whole));
    expect(await readFile(`${folder}/fetched/l1/etc/motd`, "utf8")).toBe("old");
    await fetched.take(piece("def", { ...whole, offset: 3 }));
    expect(await readFile(`${folder}/fetched/l1/etc/motd`, "utf8")).toBe("abcdef");
    expect(await below(`${folder}/fetched/l1`)).toEqual(["etc", "etc/motd"]);
  });

  it("may be empty", async () => {
    const folder = await tempFolder();
    await new FetchedFiles({ ...parts, folder }).take(piece(""));
    expect(await readFile(`${folder}/fetched/l1/etc/motd`, "utf8")).toBe("");
  });

  it("that breaks off leaves the old one and nothing else; begun anew it comes to its end", async () => {
    const folder = await tempFolder({ "fetched/l1/etc/motd": "old" });
    const fetched = new FetchedFiles({ ...parts, folder });
    const whole = { size: 6, hash: sha256("abcdef") };
    await fetched.take(piece("abc", whole));
    await fetched.close();
    expect(await below(`${folder}/fetched/l1`)).toEqual(["etc", "etc/motd"]);
    await fetched.take(piece("abc", whole));
    await fetched.take(piece("abcdef"));
    expect(await readFile(`${folder}/fetched/l1/etc/motd`, "utf8")).toBe("abcdef");
  });

  it.each([
    ["a path that leads out", { path: "/../../policy.ts" }],
    ["a path that leads out at its end", { path: "/etc/.." }],
    ["a relative path", { path: "policy.ts" }],
    ["no name", { path: "/" }],
    ["an empty path", { path: "" }],
    ["a path with a NUL", { path: "/a\0b" }],
    ["a name that steers a terminal", { path: "/a\x1b[2J" }],
    ["a name that is too long", { path: `/${"a".repeat(300)}` }],
    ["a path with two slashes", { path: "//etc/motd" }],
    ["a folder that nobody named", { folder: "other" }],
    ["a folder that leads out", { folder: "fetched/../.." }],
    ["the policy's folder", { folder: "" }],
    ["a folder from a prototype", { folder: "__proto__" }],
    ["another content than it announced", { hash: "0".repeat(64) }],
    ["more than it announced", { size: 2 }],
    ["a piece that nothing comes before", { offset: 3 }],
    ["too large a file", { size: 257 * 1024 * 1024 }],
  ])("with %s is refused, and nothing is written outside or left", async (_, more) => {
    const folder = await tempFolder({ "policy.ts": "mine" });
    const fetched = new FetchedFiles({ ...parts, folder });
    const error = await rejection(fetched.take(piece("hello\n", more)));
    expect(error.name).toBe("MopError");
    await fetched.close();
    const left = (await below(folder)).filter((name) => name !== "fetched" && name !== "fetched/l1");
    expect(left).toEqual(["policy.ts"]);
    expect(await readFile(`${folder}/policy.ts`, "utf8")).toBe("mine");
  });

  it("goes through no link and over no folder", async () => {
    const folder = await tempFolder({ "fetched/l1/d/x": "x" });
    await mkdir(`${folder}/out`);
    await symlink("../../out", `${folder}/fetched/l1/etc`);
    const fetched = new FetchedFiles({ ...parts, folder });
    expect((await rejection(fetched.take(piece("hello\n")))).message).toContain("is no folder");
    expect((await rejection(fetched.take(piece("x", { path: "/d" })))).message).toContain("can't be written");
    expect(await below(`${folder}/out`)).toEqual([]);
    expect(await below(`${folder}/fetched/l1/d`)).toEqual(["x"]);
  });

  it("is refused under --check", async () => {
    const folder = await tempFolder();
    const fetched = new FetchedFiles({ ...parts, folder, check: true });
    expect((await rejection(fetched.take(piece("x")))).message).toBe("l1 sent a file that nobody asked for");
    expect(await below(folder)).toEqual([]);
  });

  it.each([
    ["..", "%2E%2E"],
    ["a/b", "a%2Fb"],
    ["[::1]", "%5B%3A%3A1%5D"],
  ])("of a host named %s lies in a folder named %s", async (host, name) => {
    const folder = await tempFolder();
    await new FetchedFiles({ ...parts, folder, host }).take(piece("x"));
    expect(await readdir(`${folder}/fetched`)).toEqual([name]);
  });
});

const policy = (main: string, role = "") => `
import { definePolicy, defineRole } from "mop";
const site = defineRole({ name: "site", ${role} async main({ vars, fetch, copyTree, script, archive, file }) { ${main} } });
export default definePolicy({ roles: [{ role: site, groups: ["web"] }] });
`;

const run = (
  main: string,
  files: Record<string, string>,
  leaf: Parameters<typeof runScripted>[0]["leaf"],
  role = "",
) =>
  runScripted({
    files: { "policy.ts": policy(main, role), "inventory.toml": INVENTORY, ...files },
    options: { limitHosts: ["l1"] },
    leaf: leaf!,
  });

describe("a role that fetches", () => {
  it("tells the leaf where files may go and what is here, and takes what it sends", async () => {
    const orders: RoleOrder[] = [];
    const { folder, result } = await run(
      `await fetch("/etc/motd"); await fetch("/etc/hosts", { to: "kept/files" });`,
      { "kept/files/l1/etc/hosts": "old" },
      async ({ order, plan, emit }) => {
        orders.push(order as RoleOrder);
        expect(plan.fetchTo).toEqual(["fetched", "kept/files"]);
        await emit(piece("hello\n") as LeafEvent);
        return OK;
      },
    );
    expect(result.failed).toEqual([]);
    expect(orders[0]!.held).toEqual({ fetched: {}, "kept/files": { "/etc/hosts": sha256("old") } });
    expect(await readFile(`${folder}/fetched/l1/etc/motd`, "utf8")).toBe("hello\n");
  });

  it("fails its host when that sends what was not asked for", async () => {
    const { folder, result, events } = await run(`await fetch("/etc/motd");`, {}, async ({ emit }) => {
      await emit(piece("evil", { path: "/../../policy.ts" }) as LeafEvent);
      return OK;
    });
    expect(result.failed).toEqual(["l1"]);
    expect(events).toContainEqual(
      expect.objectContaining({ event: "role", error: "l1 sent a file with a name that no file has" }),
    );
    expect(await readFile(`${folder}/policy.ts`, "utf8")).toContain("definePolicy");
  });

  it("that fetches nothing takes nothing", async () => {
    const { result, folder } = await run(`await file("/a", { content: "" });`, {}, async ({ emit }) => {
      await emit(piece("evil") as LeafEvent);
      return OK;
    });
    expect(result.failed).toEqual(["l1"]);
    expect(await readdir(folder)).not.toContain("fetched");
  });

  it.each([["../out"], ["/etc"], ["a/../b"], ["."], ["a/"]])(
    "to %s is refused before anything is contacted",
    async (to) => {
      const error = await rejection(run(`await fetch("/a", { to: "${to}" });`, {}, () => OK));
      expect(error.message).toMatch(/policy\.ts:3:\d+: files can't be fetched to /);
    },
  );
});

describe("a role that copies a tree", () => {
  const tree = { "site/a": "a", "site/.htaccess": "b", "site/d/c.j2": "{{ c }}", "other/x": "x", site2: "y" };
  const told = async (main: string, files: Record<string, string> = tree, role = "") => {
    let seen:
      | { files: string[]; trees: readonly string[] | undefined; likely: readonly string[] }
      | undefined;
    await run(
      main,
      files,
      ({ plan }) => {
        seen = { files: Object.keys(plan.files), trees: plan.trees, likely: plan.likely };
        return OK;
      },
      role,
    );
    return seen!;
  };
  const whole = { files: ["site/.htaccess", "site/a", "site/d/c.j2"], trees: ["site"] };

  it("offers the whole folder that it names, and no more", async () => {
    expect(await told(`await copyTree("/w", { source: "site" });`)).toMatchObject(whole);
    expect(await told(`await copyTree("/w", { source: "./site/" });`)).toMatchObject(whole);
  });

  it("offers folders that its text names elsewhere, when the call doesn't say which", async () => {
    expect(await told(`for (const source of ["site"]) await copyTree("/w", { source });`)).toMatchObject(
      whole,
    );
  });

  it("offers a folder that its files name", async () => {
    expect(
      await told(`await copyTree("/w", { source: String(vars.x) });`, tree, `files: ["site/"],`),
    ).toMatchObject(whole);
  });

  it("offers no folder that is named for something else", async () => {
    expect(await told(`await file("/w", { content: "site" });`)).toMatchObject({ files: [], trees: [] });
  });

  it.each([
    [`await copyTree("/w", { source: "sit" });`, 'the source "sit" is no folder below the policy\'s folder'],
    [`await copyTree("/w", { source: "site/a" });`, 'the source "site/a" is no folder'],
    [`await copyTree("/w", { source: "../x" });`, 'the source "../x" is no folder'],
    [`await script("no.sh");`, 'the script "no.sh" does not exist'],
    [`await archive("/o", { source: "no.tar" });`, 'the source "no.tar" does not exist'],
  ])("%s is refused with its place", async (main, message) => {
    const error = await rejection(told(main));
    expect(error.message).toMatch(/policy\.ts:3:\d+: /);
    expect(error.message).toContain(message);
  });

  it("refuses a link that leads out of the policy's folder", async () => {
    const outside = await tempFolder({ secret: "x" });
    const folder = await tempFolder(tree);
    await symlink(`${outside}/secret`, `${folder}/site/l`);
    const { PolicyFolder } = await import("../../../engine/controller/files/folder.js");
    const error = await rejection(new PolicyFolder(folder).tree("site"));
    expect(error.message).toContain("site/l: can't be copied with its folder");
  });
});
