import { createHash } from "node:crypto";
import type { Case } from "../cases.js";
import { tarOf, zipOf } from "../make-archive.js";

const TAR = tarOf([
  { name: "app/", mode: 0o755 },
  { name: "app/bin/run", mode: 0o755, content: "#!/bin/sh\n" },
  { name: "app/etc/conf", mode: 0o640, content: "port 1\n" },
  { name: "app/current", to: "bin/run" },
]);
const ZIP = zipOf([
  { name: "a.txt", content: "plain\n" },
  { name: "d/b.sh", mode: 0o755, content: "packed ".repeat(50) },
  { name: "d/l", to: "b.sh" },
]);

const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const stampOf = (source: string) => `.mop-archive-${sha256(source).slice(0, 12)}`;
const stampLine = (bytes: Uint8Array, strip = 0) =>
  `file 0644 sha256:${sha256(bytes)} (strip ${strip}, owner -, group -)\n`;

const UNPACKED = {
  o: "dir 0755",
  [`o/${stampOf("a.tar")}`]: stampLine(TAR),
  "o/app": "dir 0755",
  "o/app/bin": "dir 0755",
  "o/app/bin/run": "file 0755 #!/bin/sh\n",
  "o/app/current": "link bin/run",
  "o/app/etc": "dir 0755",
  "o/app/etc/conf": "file 0640 port 1\n",
};

const unpack = (
  claim: string,
  state: Case["state"],
  options: Record<string, unknown>,
  rest: Pick<Case, "actions" | "error" | "after" | "diff" | "only" | "offered">,
): Case => ({
  claim,
  state,
  type: "archive",
  name: "$/o",
  options: { source: "a.tar", ...options },
  offered: { "a.tar": TAR, "a.zip": ZIP },
  ...rest,
});

/** A tar that is refused, and nothing of it is unpacked. */
const refused = (
  claim: string,
  entries: Parameters<typeof tarOf>[0],
  error: string,
  state: Case["state"] = {},
) => unpack(claim, state, {}, { error, offered: { "a.tar": tarOf(entries) } });

export const ARCHIVE_CASES: readonly Case[] = [
  unpack(
    "a tar is unpacked, with modes and links",
    {},
    {},
    {
      actions: ["unpack"],
      after: UNPACKED,
      diff: "created: $/o\ncreated: $/o/app\ncreated: $/o/app/bin\ncreated: $/o/app/bin/run\ncreated: $/o/app/etc\ncreated: $/o/app/etc/conf\nlink: $/o/app/current -> bin/run\n",
    },
  ),
  unpack("what was unpacked is nothing to do", UNPACKED, {}, { actions: [] }),
  unpack(
    "strip takes folders off the front",
    {},
    { strip: 1 },
    {
      actions: ["unpack"],
      after: {
        o: "dir 0755",
        [`o/${stampOf("a.tar")}`]: stampLine(TAR, 1),
        "o/bin": "dir 0755",
        "o/bin/run": "file 0755 #!/bin/sh\n",
        "o/current": "link bin/run",
        "o/etc": "dir 0755",
        "o/etc/conf": "file 0640 port 1\n",
      },
    },
  ),
  unpack(
    "another archive is unpacked over what is there, which stays",
    {
      ...UNPACKED,
      [`o/${stampOf("a.tar")}`]: stampLine(Buffer.from("older")),
      "o/app/etc/conf": "file 0600 mine\n",
      "o/app/data": "file 0644 mine\n",
    },
    {},
    {
      actions: ["unpack"],
      after: { ...UNPACKED, "o/app/data": "file 0644 mine\n" },
      diff: "replaced: $/o/app/etc/conf\n",
    },
  ),
  unpack(
    "creates stands for what is unpacked",
    { "o/app/bin/run": "file 0755 other" },
    { creates: "$/o/app/bin/run" },
    {
      actions: [],
    },
  ),
  unpack(
    "creates that is missing has it unpacked, without a stamp",
    {},
    { creates: "$/o/app/bin/run" },
    {
      actions: ["unpack"],
      after: Object.fromEntries(Object.entries(UNPACKED).filter(([at]) => !at.includes(".mop-archive"))),
    },
  ),
  unpack(
    "a link that leads elsewhere is put right",
    { "o/app/current": "link x" },
    {},
    {
      actions: ["unpack"],
      after: UNPACKED,
    },
  ),
  unpack(
    "a link where a file belongs is replaced and not followed",
    { "o/app/etc/conf": "link $/out", out: "file 0644 x" },
    {},
    {
      actions: ["unpack"],
      after: { ...UNPACKED, out: "file 0644 x" },
    },
  ),
  unpack(
    "a link where a folder belongs is not followed",
    { "o/app": "link ../out", out: "dir 0755" },
    {},
    {
      error: "$/o/app is no folder",
    },
  ),
  unpack(
    "a zip is unpacked, stored and deflated",
    {},
    { source: "a.zip" },
    {
      actions: ["unpack"],
      after: {
        o: "dir 0755",
        [`o/${stampOf("a.zip")}`]: stampLine(ZIP),
        "o/a.txt": "file 0644 plain\n",
        "o/d": "dir 0755",
        "o/d/b.sh": `file 0755 ${"packed ".repeat(50)}`,
        "o/d/l": "link b.sh",
      },
    },
  ),
  unpack("a checksum that fits is fine", UNPACKED, { checksum: `sha256:${sha256(TAR)}` }, { actions: [] }),
  unpack(
    "a checksum that doesn't fit is refused",
    {},
    { checksum: "0".repeat(64) },
    { error: "not the one that" },
  ),
  unpack(
    "owner and group are given to all of it",
    {},
    { owner: 12345, group: 12345, creates: "$/o/app/bin/run" },
    {
      only: "root",
      actions: ["unpack"],
      after: Object.fromEntries(
        Object.entries(UNPACKED)
          .filter(([at]) => !at.includes(".mop-archive"))
          .map(([at, entry]) => [at, `12345:${entry}`]),
      ),
    },
  ),
  refused("a path that leads out", [{ name: "../x", content: "x" }], "leads out of the folder"),
  refused(
    "a path that leads out in the middle",
    [{ name: "a/../../x", content: "x" }],
    "leads out of the folder",
  ),
  refused("an absolute path", [{ name: "/etc/x", content: "x" }], "leads out of the folder"),
  refused("a link that leads out", [{ name: "a/l", to: "../../x" }], "leads out of the folder"),
  refused("a link to an absolute path", [{ name: "l", to: "/etc" }], "leads out of the folder"),
  refused(
    "a file through a link of the archive's own",
    [
      { name: "d", to: "." },
      { name: "d/x", content: "x" },
    ],
    "is no folder",
  ),
  refused("a hard link to what is not in the archive", [{ name: "h", hard: "../passwd" }], "leads out"),
  refused(
    "a hard link to what comes later",
    [
      { name: "h", hard: "x" },
      { name: "x", content: "" },
    ],
    "is no file before it",
  ),
  refused("a device", [{ name: "null", type: "3" }], "a device or the like"),
  refused(
    "a file twice",
    [
      { name: "a", content: "1" },
      { name: "./a", content: "2" },
    ],
    "in it twice",
  ),
  refused("a folder where a file stands", [{ name: "a/b", content: "1" }], "$/o/a is no folder", {
    "o/a": "file 0644 ",
  }),
  refused("a file where a folder stands", [{ name: "a", content: "1" }], "$/o/a is no file", {
    "o/a": "dir 0755",
  }),
  unpack(
    "a hard link becomes a file of its own",
    {},
    { creates: "$/o/h" },
    {
      actions: ["unpack"],
      offered: {
        "a.tar": tarOf([
          { name: "a", mode: 0o600, content: "x" },
          { name: "h", hard: "a" },
        ]),
      },
      after: { o: "dir 0755", "o/a": "file 0600 x", "o/h": "file 0600 x" },
    },
  ),
  unpack(
    "setuid bits don't come out of an archive",
    {},
    { creates: "$/o/a" },
    {
      actions: ["unpack"],
      offered: { "a.tar": tarOf([{ name: "a", mode: 0o6755, content: "x" }]) },
      after: { o: "dir 0755", "o/a": "file 0755 x" },
    },
  ),
  unpack("a text is no archive", {}, {}, { error: "it is no archive", offered: { "a.tar": "hello\n" } }),
  unpack(
    "an archive that was cut off is told",
    {},
    {},
    {
      error: "ends in the middle of a file",
      offered: { "a.tar": TAR.subarray(0, 1030) },
    },
  ),
  unpack(
    "an archive without an end is told",
    {},
    {},
    {
      error: "ends too early",
      offered: { "a.tar": TAR.subarray(0, TAR.length - 1024) },
    },
  ),
  unpack(
    "a damaged header is told",
    {},
    {},
    {
      error: "a header's sum is wrong",
      offered: {
        "a.tar": Buffer.concat([TAR.subarray(0, 512), Buffer.alloc(512, 0x41), TAR.subarray(1024)]),
      },
    },
  ),
  unpack(
    "a zip whose content was changed is told",
    {},
    { source: "a.zip" },
    {
      error: "is not what it was",
      offered: { "a.zip": Buffer.from(ZIP.toString("latin1").replace("plain", "PLAIN"), "latin1") },
    },
  ),
  unpack(
    "a zip that was cut off is told",
    {},
    { source: "a.zip" },
    {
      error: "it has no end",
      offered: { "a.zip": ZIP.subarray(0, 60) },
    },
  ),
  unpack(
    "two places of an archive are refused",
    {},
    { file: "/x" },
    { error: 'one of "source", "file" and "url"' },
  ),
  unpack(
    "no place of an archive is refused",
    {},
    { source: undefined },
    { error: 'one of "source", "file" and "url"' },
  ),
  unpack(
    "an url needs its checksum",
    {},
    { source: undefined, url: "http://h/a" },
    { error: 'needs "checksum"' },
  ),
  unpack(
    "a file of the host that is missing is told",
    {},
    { source: undefined, file: "$/no.tar" },
    {
      error: "there is no archive at $/no.tar",
    },
  ),
  unpack("a file where it is unpacked to is told", { o: "file 0644 " }, {}, { error: "a file stands there" }),
];
