import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Files } from "../../../../../engine/leaf/files/files.js";
import type { TypeContext } from "../../../../../engine/leaf/type.js";
import { busyboxGroups, busyboxUsers } from "../../../../../engine/leaf/types/accounts/busybox.js";
import type { Step } from "../../../../../engine/leaf/types/accounts/provider.js";
import { parseGroup, parsePasswd } from "../../../../../engine/leaf/types/accounts/tables.js";

const TABLES = {
  passwd:
    "root:x:0:0:root:/root:/bin/ash\nal:x:1000:1000:Al:HOME:/bin/ash\nalice:x:1001:1000:A:/a:/bin/ash\n",
  group: "root:x:0:\nal:x:1000:al\nwheel:x:10:al,alice\n",
  shadow: "root:*::0:::::\nal:!:19000:0:99999:7:::\n",
};

let root: string;
const at = (name: string) => path.join(root, "etc", name);
const text = async (name: keyof typeof TABLES) => (await readFile(at(name), "utf8")).replace(root, "");
const ran: string[] = [];
/** The host's tables, below a folder; programs are told only. */
let context: TypeContext;

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), "mop-busybox-"));
  await mkdir(path.join(root, "etc"));
  await mkdir(path.join(root, "home/al"), { recursive: true });
  for (const [name, content] of Object.entries(TABLES))
    await writeFile(at(name), content.replace("HOME", `${root}/home/al`), { mode: 0o640 });
  ran.length = 0;
  const files = new Files();
  const resolve = files.resolve.bind(files);
  files.resolve = (given, follow) => resolve(given.startsWith(root) ? given : path.join(root, given), follow);
  context = {
    files,
    signal: new AbortController().signal,
    exec: async (program: string, args: readonly string[]) => {
      ran.push([program, ...args].join(" ").replaceAll(root, ""));
      return { rc: 0, stdout: "", stderr: "" };
    },
  } as unknown as TypeContext;
});
afterEach(() => rm(root, { recursive: true }));

const carryOut = async (steps: readonly Step[]) => {
  for (const step of steps) await step();
};
const al = async () => parsePasswd(await readFile(at("passwd"), "utf8")).find(({ name }) => name === "al")!;

test("an account's line is written anew in every field, its home moves and changes hands, other lines stay", async () => {
  const groups = { before: ["wheel", "adm"], after: ["adm", "ops"] };
  const home = { to: path.join(root, "home/new"), move: true };
  const change = { uid: 1500, gid: 10, shell: "/bin/sh", comment: "", home, groups, expires: 20818 };
  await carryOut(busyboxUsers.change(context, await al(), change));
  expect(await text("passwd")).toBe(
    TABLES.passwd.replace("al:x:1000:1000:Al:HOME:/bin/ash", "al:x:1500:10::/home/new:/bin/sh"),
  );
  expect(await text("shadow")).toBe(TABLES.shadow.replace("7:::", "7::20818:"));
  expect(await text("group")).toBe(TABLES.group);
  expect(ran).toEqual([
    "find /home/new -xdev -user 1000 -exec chown -h 1500 {} +",
    "find /home/new -xdev -group 1000 -exec chgrp -h 10 {} +",
    "addgroup al ops",
    "delgroup al wheel",
  ]);
  expect((await stat(at("passwd"))).mode & 0o777).toBe(0o640);
});

test("a home that is not there has nothing to hand over, and a day of expiry goes", async () => {
  await carryOut(
    busyboxUsers.change(context, { ...(await al()), home: "/nowhere" }, { uid: 1500, expires: 20818 }),
  );
  await carryOut(busyboxUsers.change(context, await al(), { expires: null }));
  expect(ran).toEqual([]);
  expect(await text("shadow")).toBe(TABLES.shadow);
});

test("a group's id changes for those too that have it as the primary one, its members are exactly those given", async () => {
  const group = parseGroup(TABLES.group).find(({ name }) => name === "al")!;
  await carryOut(busyboxGroups.change(context, group, { gid: 1900, members: ["alice", "root"] }));
  expect(await text("group")).toBe(TABLES.group.replace("al:x:1000:al", "al:x:1900:alice,root"));
  expect(parsePasswd(await text("passwd")).map(({ name, gid }) => `${name} ${gid}`)).toEqual([
    "root 0",
    "al 1900",
    "alice 1900",
  ]);
});
