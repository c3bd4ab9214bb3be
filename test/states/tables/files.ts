import { tarOf, zipOf } from "../../unit/leaf/resources/make-archive.js";
import { type Draft, type StateTable, statesOf } from "../state.js";

/** What stands in a folder, one name a line, links with what they point to. */
const tree = (...lines: string[]) =>
  `test "$(find . -mindepth 1 \\( -type l -printf '%P -> %l\\n' -o -printf '%P %m\\n' \\) | sort | tr '\\n' ';')" = "${lines.join(";")};"`;

const FOLDERS: readonly Draft[] = [
  { claim: "a folder is made", name: "{here}/a", changes: ["create"], stands: tree("a 755") },
  {
    claim: "all folders above it are made",
    name: "{here}/a/b/c",
    changes: ["create"],
    stands: "test -d a/b/c",
  },
  {
    claim: "those above a closed one are as the umask leaves them",
    name: "{here}/a/b",
    options: { mode: 0o700 },
    changes: ["create"],
    stands: tree("a 755", "a/b 700"),
  },
  {
    claim: "a folder is made below a link to one",
    prepare: "mkdir real; ln -s real l",
    name: "{here}/l/a",
    changes: ["create"],
    stands: "test -d real/a",
  },
  { claim: "a link to a folder is one", prepare: "mkdir real; ln -s real l", name: "{here}/l", changes: [] },
  {
    claim: "attributes behind a link are the folder's",
    prepare: "mkdir -m 755 real; ln -s real l",
    name: "{here}/l",
    options: { mode: "0700" },
    changes: ["mode"],
    stands: tree("l -> real", "real 700"),
  },
  {
    claim: "bits for a shared folder are set",
    prepare: "mkdir -m 755 a",
    name: "{here}/a",
    options: { mode: 0o2775 },
    changes: ["mode"],
    stands: tree("a 2775"),
  },
  {
    claim: "the sticky bit goes",
    prepare: "mkdir a; chmod 1777 a",
    name: "{here}/a",
    options: { mode: 0o777 },
    changes: ["mode"],
    stands: tree("a 777"),
  },
  {
    claim: "all that is below gets the mode, but no link",
    prepare: "mkdir -p a/b; touch a/b/f; ln -s ../f a/l; chmod -R 755 a/b a",
    name: "{here}/a",
    options: { mode: 0o700, recursive: true },
    changes: ["mode"],
    stands: tree("a 700", "a/b 700", "a/b/f 700", "a/l -> ../f"),
  },
  {
    claim: "what is below and right already is left alone",
    prepare: "mkdir -p a/b; chmod -R 700 a",
    name: "{here}/a",
    options: { mode: 0o700, recursive: true },
    changes: [],
  },
  {
    claim: "an empty folder goes",
    prepare: "mkdir a",
    name: "{here}/a",
    options: { absent: true },
    changes: ["remove"],
    stands: "test ! -e a",
  },
  {
    claim: "a folder goes with all that is in it, but not what its links point to",
    prepare: "mkdir -p a/b/c keep; touch a/b/f keep/f; ln -s ../keep a/l",
    name: "{here}/a",
    options: { absent: true, recursive: true },
    changes: ["remove"],
    stands: "test ! -e a; test -e keep/f",
  },
  {
    claim: "a folder that is not there is absent, and so is one below it",
    name: "{here}/a/b",
    options: { absent: true },
    changes: [],
  },
  {
    claim: "a link to a folder is no folder to remove",
    prepare: "mkdir a; ln -s a l",
    name: "{here}/l",
    options: { absent: true },
    error: "it is no folder",
  },
  {
    claim: "a file on the way is told",
    prepare: "echo x >a",
    name: "{here}/a/b",
    error: "a",
  },
];

const LINKS: readonly Draft[] = [
  {
    claim: "a link is made",
    name: "{here}/l",
    options: { to: "a" },
    changes: ["create"],
    stands: tree("l -> a"),
  },
  {
    claim: "to an absolute path",
    name: "{here}/l",
    options: { to: "/etc/hostname" },
    changes: ["create"],
    stands: tree("l -> /etc/hostname"),
  },
  {
    claim: "to a folder",
    prepare: "mkdir -m 755 d",
    name: "{here}/l",
    options: { to: "d" },
    changes: ["create"],
    stands: tree("d 755", "l -> d"),
  },
  {
    claim: "in a folder behind a link",
    prepare: "mkdir d; ln -s d k",
    name: "{here}/k/l",
    options: { to: "../x" },
    changes: ["create"],
    stands: 'test "$(readlink d/l)" = ../x',
  },
  {
    claim: "the same place in other words is another link",
    prepare: "ln -s a l",
    name: "{here}/l",
    options: { to: "./a" },
    changes: ["to"],
    stands: tree("l -> ./a"),
  },
  {
    claim: "one to a folder is turned, not followed",
    prepare: "mkdir -m 755 d e; ln -s d l",
    name: "{here}/l",
    options: { to: "e" },
    changes: ["to"],
    stands: tree("d 755", "e 755", "l -> e"),
  },
  {
    claim: "one that leads nowhere is turned",
    prepare: "ln -s gone l",
    name: "{here}/l",
    options: { to: "a" },
    changes: ["to"],
    stands: tree("l -> a"),
  },
  {
    claim: "one that leads to itself is turned",
    prepare: "ln -s l l",
    name: "{here}/l",
    options: { to: "a" },
    changes: ["to"],
    stands: tree("l -> a"),
  },
  {
    claim: "one that is right stays, though it leads nowhere",
    prepare: "ln -s gone l",
    name: "{here}/l",
    options: { to: "gone" },
    changes: [],
  },
  {
    claim: "a file gives way by force",
    prepare: "echo x >l",
    name: "{here}/l",
    options: { to: "a", force: true },
    changes: ["replace"],
    stands: tree("l -> a"),
  },
  {
    claim: "force changes nothing about a link that is right",
    prepare: "ln -s a l",
    name: "{here}/l",
    options: { to: "a", force: true },
    changes: [],
  },
  {
    claim: "one that leads nowhere goes",
    prepare: "ln -s gone l",
    name: "{here}/l",
    options: { absent: true },
    changes: ["remove"],
    stands: "test ! -L l",
  },
  {
    claim: "one to a folder goes, and the folder stays",
    prepare: "mkdir d; ln -s d l",
    name: "{here}/l",
    options: { absent: true },
    changes: ["remove"],
    stands: "test ! -L l; test -d d",
  },
  { claim: "one that is not there is absent", name: "{here}/l", options: { absent: true }, changes: [] },
  {
    claim: "its folder must be there",
    name: "{here}/d/l",
    options: { to: "a" },
    error: "does not exist",
  },
  {
    claim: "a name with spaces and one that points up",
    name: "{here}/a b",
    options: { to: "../c d" },
    changes: ["create"],
    stands: tree("a b -> ../c d"),
  },
];

const marked = (...lines: string[]) =>
  `# BEGIN managed by mop\\n${lines.map((l) => `${l}\\n`).join("")}# END managed by mop\\n`;
const has = (text: string) => `printf '${text}' | cmp - f`;
const holds = (text: string) => `printf '${text}' >f`;

const BLOCKS: readonly Draft[] = [
  {
    claim: "a block is put at the end",
    prepare: holds("a\\n"),
    options: { block: "x\ny" },
    changes: ["content"],
    stands: has(`a\\n${marked("x", "y")}`),
  },
  {
    claim: "a file whose last line has no end is one afterwards",
    prepare: holds("a"),
    options: { block: "x" },
    changes: ["content"],
    stands: has(`a\\n${marked("x").slice(0, -2)}`),
  },
  {
    claim: "an empty file gets it",
    prepare: holds(""),
    options: { block: "x" },
    changes: ["content"],
    stands: has(marked("x")),
  },
  {
    claim: "a shorter one takes its place, and the lines around it stay",
    prepare: holds(`a\\n${marked("x", "y")}b\\n`),
    options: { block: "z" },
    changes: ["content"],
    stands: has(`a\\n${marked("z")}b\\n`),
  },
  {
    claim: "an empty one leaves its marks",
    prepare: holds(`${marked("x")}b\\n`),
    options: { block: "" },
    changes: ["content"],
    stands: has(`${marked()}b\\n`),
  },
  {
    claim: "one that is right is nothing to do, wherever it stands",
    prepare: holds(`${marked("x")}b\\n`),
    options: { block: "x\n", after: "b" },
    changes: [],
  },
  {
    claim: "it goes, and the rest stays",
    prepare: holds(`a\\n${marked("x")}b\\n`),
    options: { absent: true },
    changes: ["content"],
    stands: has("a\\nb\\n"),
  },
  {
    claim: "one that is not there is absent",
    prepare: holds("a\\n"),
    options: { absent: true },
    changes: [],
  },
  {
    claim: "blocks with marks of their own don't meet",
    prepare: holds(marked("x")),
    options: { block: "y", marker: "; {mark} other" },
    changes: ["content"],
    stands: has(`${marked("x")}; BEGIN other\\ny\\n; END other\\n`),
  },
  {
    claim: "a file that is missing is made where that is asked for",
    options: { block: "x", create: true, mode: 0o600 },
    changes: ["create"],
    stands: `${has(marked("x"))}; test $(stat -c %a f) = 600`,
  },
].map((state) => ({ name: "{here}/f", ...state }));

const SITE = { "site/a.txt": "a\n", "site/d/b.txt": "b\n", "site/d/run.sh": "#!/bin/sh\n" };
const TREES: readonly Draft[] = [
  {
    claim: "what is there of a tree already is left alone, the rest comes",
    prepare: "mkdir -p w; echo a >w/a.txt",
    changes: ["create"],
    stands: "cmp w/d/b.txt - <<E\nb\nE\ntest -x w/d/run.sh",
  },
  {
    claim: "a link to a folder in the place of the target is followed",
    prepare: "mkdir real; ln -s real w",
    changes: ["create"],
    stands: "test -e real/d/run.sh; test -L w",
  },
  {
    claim: "files changed by hand come back, two at once",
    prepare:
      "mkdir -p w/d; echo x >w/a.txt; echo y >w/d/b.txt; printf '#!/bin/sh\\n' >w/d/run.sh; chmod 755 w/d/run.sh",
    changes: ["content"],
    stands: 'test "$(cat w/a.txt w/d/b.txt)" = "a\nb"',
  },
  {
    claim: "purge removes whole folders beside the tree's",
    prepare:
      "mkdir -p w/d w/x/y; echo a >w/a.txt; echo b >w/d/b.txt; printf '#!/bin/sh\\n' >w/d/run.sh; chmod 755 w/d/run.sh; touch w/x/y/z",
    options: { purge: true },
    changes: ["remove"],
    stands: "test ! -e w/x",
  },
  {
    claim: "all get the mode that is asked for",
    options: { mode: 0o600, directoryMode: 0o711 },
    changes: ["create"],
    stands: 'test "$(stat -c %a w/d w/a.txt w/d/b.txt | tr "\\n" " ")" = "711 600 600 "',
  },
  {
    claim: "modes alone change",
    prepare:
      "mkdir -p w/d; echo a >w/a.txt; echo b >w/d/b.txt; printf '#!/bin/sh\\n' >w/d/run.sh; chmod 755 w w/d w/d/run.sh; chmod 644 w/a.txt w/d/b.txt",
    options: { mode: 0o640 },
    changes: ["mode"],
    stands: "test $(stat -c %a w/a.txt) = 640",
  },
].map((state) => ({
  name: "{here}/w",
  offered: SITE,
  trees: ["site"],
  ...state,
  options: { source: "site", ...state.options },
}));

const PACKED = {
  "a.tar": tarOf([
    { name: "p/", mode: 0o755 },
    { name: "p/bin", mode: 0o755, content: "x\n" },
    { name: "p/l", to: "bin" },
  ]),
  "a.zip": zipOf([
    { name: "z", content: "z\n" },
    { name: "d/y", content: "y".repeat(99) },
  ]),
};
const ARCHIVES: readonly Draft[] = [
  {
    claim: "a tar is unpacked into a new folder",
    changes: ["unpack"],
    stands: 'test "$(readlink o/p/l)" = bin; test -x o/p/bin',
  },
  {
    claim: "a tar is unpacked beside what is there",
    prepare: "mkdir o; echo mine >o/mine",
    changes: ["unpack"],
    stands: 'test "$(cat o/mine o/p/bin)" = "mine\nx"',
  },
  {
    claim: "a file that stands there already is written anew",
    prepare: "mkdir -p o/p; echo old >o/p/bin",
    changes: ["unpack"],
    stands: 'test "$(cat o/p/bin)" = x',
  },
  {
    claim: "without its first folder",
    options: { strip: 1 },
    changes: ["unpack"],
    stands: "test -x o/bin; test ! -e o/p",
  },
  {
    claim: "a zip is unpacked",
    options: { source: "a.zip" },
    changes: ["unpack"],
    stands: 'test "$(cat o/z)" = z; test $(wc -c <o/d/y) = 99',
  },
  {
    claim: "not where what it brings is there",
    prepare: "mkdir -p o; touch done",
    options: { creates: "{here}/done" },
    changes: [],
  },
  {
    claim: "where what it brings is not there yet",
    options: { creates: "{here}/o/p/bin" },
    changes: ["unpack"],
    stands: "test -e o/p/bin",
  },
  {
    claim: "below a link to a folder",
    prepare: "mkdir real; ln -s real o",
    changes: ["unpack"],
    stands: "test -x real/p/bin",
  },
].map((state) => ({
  name: "{here}/o",
  offered: PACKED,
  ...state,
  options: { source: "a.tar", ...state.options },
}));

export const FILES: StateTable = {
  states: [
    ...statesOf("directory", FOLDERS),
    ...statesOf("link", LINKS),
    ...statesOf("blockInFile", BLOCKS),
    ...statesOf("copyTree", TREES),
    ...statesOf("archive", ARCHIVES),
  ],
};
