import { mkdtemp, readdir, realpath, rename, rm, symlink } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { Files } from "../../../../../engine/leaf/files/files.js";
import { typeContext } from "../../../../../engine/leaf/type-context.js";
import { authorizedKey } from "../../../../../engine/leaf/types/authorized-key.js";
import { build, Run } from "../../resources/stage.js";
import { AUTHORIZED_KEYS } from "./authorized-key-cases.js";
import { newKey } from "./hosts.js";
import { testKeyCases } from "./key-cases.js";

const A = newKey();
const { signal } = new AbortController();

testKeyCases(authorizedKey, AUTHORIZED_KEYS);

test("a link that takes the folder's place after the plan leads root's hand nowhere", async () => {
  const root = await realpath(await mkdtemp(path.join(os.tmpdir(), "mop-keys-")));
  try {
    const home = path.join(root, "home");
    await build(root, {
      "home/.ssh": "dir 0700",
      "home/.ssh/authorized_keys": "file 0600 x\n",
      secret: "dir 0700",
    });
    const files = new Files();
    const bytes = Buffer.from(`me:x:${process.geteuid?.()}:${process.getegid?.()}::${home}:/bin/sh\n`);
    const content = { hash: "", bytes };
    files.foresee("/etc/passwd", { kind: "file", mode: 0o644, uid: 0, gid: 0, size: bytes.length, content });
    const plan = await authorizedKey.plan(
      typeContext(new Run({ files }).context, signal),
      "me",
      { key: A },
      undefined,
    );
    expect(plan.actions).toEqual(["add"]);
    await rename(path.join(home, ".ssh"), path.join(home, "old"));
    await symlink("../secret", path.join(home, ".ssh"));
    await expect(plan.apply()).rejects.toThrow(/can't be opened/);
    expect(await readdir(path.join(root, "secret"))).toEqual([]);
  } finally {
    await rm(root, { recursive: true });
  }
});
