import { mkdtemp, readdir, realpath, rename, rm, symlink } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { Files } from "../../../../../engine/leaf/files/files.js";
import { typeContext } from "../../../../../engine/leaf/type-context.js";
import { authorizedKey } from "../../../../../engine/leaf/types/authorized-key.js";
import { build, Run } from "../../resources/stage.js";
import { newKey } from "./hosts.js";
import { type KeyCase, testKeyCases } from "./key-cases.js";

const [A, B, C] = [newKey(), newKey(), newKey()];
const { signal } = new AbortController();
const FILE = ".ssh/authorized_keys";
const file = (text: string, mode = "0600") => ({ ".ssh": "dir 0700", [FILE]: `file ${mode} ${text}` });
const PRIVATE = "-----BEGIN OPENSSH PRIVATE KEY-----\nhush\n-----END OPENSSH PRIVATE KEY-----\n";

const CASES: readonly KeyCase[] = [
  {
    claim: "the folder and the file are made",
    state: {},
    options: { key: `${A} me@laptop` },
    actions: ["add", "folder"],
    after: file(`${A} me@laptop\n`),
  },
  {
    claim: "a key is added behind what is there, and other lines stay to the letter",
    state: file(`# mine\n\n  ${B}   b  \nssh-rsa broken\n`),
    options: { key: A },
    actions: ["add"],
    after: file(`# mine\n\n  ${B}   b  \nssh-rsa broken\n${A}\n`),
  },
  {
    claim: "a last line without an end gets one",
    state: file(B),
    options: { key: A },
    actions: ["add"],
    after: file(`${B}\n${A}\n`),
  },
  {
    claim: "a key that is there",
    state: file(`${A} x\n`),
    options: { key: A },
    actions: [],
    after: file(`${A} x\n`),
  },
  {
    claim: "several keys in one go",
    state: file(`${B} b\n`),
    options: { key: [`${A} a`, B, C] },
    actions: ["add"],
    after: file(`${B} b\n${A} a\n${C}\n`),
  },
  {
    claim: "a comment is changed",
    state: file(`${A} old\n`),
    options: { key: A, comment: "new one" },
    actions: ["update"],
    after: file(`${A} new one\n`),
  },
  {
    claim: "the comment of the key itself counts",
    state: file(`${A} old\n`),
    options: { key: `${A} new` },
    actions: ["update"],
    after: file(`${A} new\n`),
  },
  {
    claim: "options stand in front",
    state: {},
    options: { key: A, options: ["restrict", 'command="echo \\"a b\\""'] },
    actions: ["add", "folder"],
    after: file(`restrict,command="echo \\"a b\\"" ${A}\n`),
  },
  {
    claim: "options with blanks and quotes are read as they were written",
    state: file(`restrict,command="echo \\"a b\\"" ${A} c\n`),
    options: { key: A, options: 'restrict,command="echo \\"a b\\""' },
    actions: [],
    after: file(`restrict,command="echo \\"a b\\"" ${A} c\n`),
  },
  {
    claim: "options that are not named stay",
    state: file(`no-pty ${A} c\n`),
    options: { key: A },
    actions: [],
    after: file(`no-pty ${A} c\n`),
  },
  {
    claim: "options are changed, the comment stays",
    state: file(`no-pty ${A} c\n`),
    options: { key: A, options: 'from="10.0.0.0/8"' },
    actions: ["update"],
    after: file(`from="10.0.0.0/8" ${A} c\n`),
  },
  {
    claim: "options are taken away",
    state: file(`no-pty ${A} c\n`),
    options: { key: A, options: "" },
    actions: ["update"],
    after: file(`${A} c\n`),
  },
  {
    claim: "options in front of the key count as options",
    state: {},
    options: { key: `no-pty ${A} c` },
    actions: ["add", "folder"],
    after: file(`no-pty ${A} c\n`),
  },
  {
    claim: "a second entry of the key goes, since it could do without the options of the first",
    state: file(`no-pty ${A}\n${A} again\n`),
    options: { key: A, options: "no-pty" },
    actions: ["remove"],
    after: file(`no-pty ${A}\n`),
  },
  {
    claim: "exclusive removes all other keys and leaves comments",
    state: file(`# keys\n${B}\n${A}\nno-pty ${C}\n`),
    options: { key: A, exclusive: true },
    actions: ["remove"],
    after: file(`# keys\n${A}\n`),
  },
  {
    claim: "exclusive with a new key",
    state: file(`${B}\n`),
    options: { key: A, exclusive: true },
    actions: ["add", "remove"],
    after: file(`${A}\n`),
  },
  {
    claim: "exclusive with no keys at all",
    state: file(`${B}\n`),
    options: { key: [], exclusive: true },
    actions: ["remove"],
    after: file(""),
  },
  {
    claim: "a key is removed, whatever its options and comment",
    state: file(`no-pty ${A} x\n${B}\n`),
    options: { key: `${A} other`, absent: true },
    actions: ["remove"],
    after: file(`${B}\n`),
  },
  {
    claim: "nothing is made for a key that is not there",
    state: {},
    options: { key: A, absent: true },
    actions: [],
    after: {},
  },
  {
    claim: "modes that are too open are closed",
    state: { ".ssh": "dir 0755", [FILE]: `file 0644 ${A}\n` },
    options: { key: A },
    actions: ["folder", "mode"],
    after: file(`${A}\n`),
  },
  {
    claim: "another file, whose folder is left alone",
    state: { keys: "dir 0755" },
    options: { key: A, path: "$/keys/me" },
    actions: ["add"],
    after: { keys: "dir 0755", "keys/me": `file 0600 ${A}\n` },
  },
  {
    claim: "another file needs its folder",
    state: {},
    options: { key: A, path: "$/keys/me" },
    error: "the folder $/keys does not exist",
  },
  {
    claim: "a folder that is a link is not followed",
    state: { other: "dir 0700", ".ssh": "link other" },
    options: { key: A },
    error: '$/.ssh is no folder, but a link; name the file with "path"',
  },
  {
    claim: "a file that is a link is not followed",
    state: { ".ssh": "dir 0700", other: "file 0600 x", [FILE]: "link ../other" },
    options: { key: A },
    error: "is no ordinary file, but a link",
  },
  {
    claim: "a user that does not exist is refused",
    state: {},
    name: "nobody-here",
    options: { key: A },
    error: 'the user "nobody-here" does not exist on this host; make it with user() before',
  },
  { claim: "no key is refused", state: {}, options: {}, error: 'it needs the option "key"' },
  { claim: "an empty list is refused", state: {}, options: { key: [] }, error: 'it needs the option "key"' },
  {
    claim: "a truncated key is refused, and where it stands is told",
    state: {},
    options: { key: [A, B.slice(0, -9)] },
    error: "key 2 of the list is no OpenSSH public key",
  },
  {
    claim: "a kind that is not the key's own is refused",
    state: {},
    options: { key: A.replace("ssh-ed25519", "ssh-rsa") },
    error: "is no OpenSSH public key",
  },
  {
    claim: "a private key is refused and not repeated",
    state: {},
    options: { key: PRIVATE },
    error: 'the option "key" is no OpenSSH public key; it is one line as in a .pub file',
  },
  {
    claim: "a line break in a comment is refused",
    state: {},
    options: { key: A, comment: `x\n${B}` },
    error: 'the option "comment" must be a text of one line',
  },
  {
    claim: "absent and exclusive contradict each other",
    state: {},
    options: { key: A, absent: true, exclusive: true },
    error: '"absent" goes with "key" and "path" only',
  },
];

testKeyCases(authorizedKey, CASES);

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
