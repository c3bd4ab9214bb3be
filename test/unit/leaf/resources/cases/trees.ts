import type { Case } from "../cases.js";

const SITE = { "site/index.html": "home\n", "site/css/a.css": "a\n", "site/run.sh": "#!/bin/sh\n" };

const tree = (
  claim: string,
  state: Case["state"],
  options: Record<string, unknown>,
  rest: Pick<Case, "actions" | "error" | "after" | "diff" | "only">,
): Case => ({
  claim,
  state,
  type: "copyTree",
  name: "$/w",
  options: { source: "site", ...options },
  offered: SITE,
  trees: ["site"],
  ...rest,
});

const COPIED = {
  w: "dir 0755",
  "w/css": "dir 0755",
  "w/css/a.css": "file 0644 a\n",
  "w/index.html": "file 0644 home\n",
  "w/run.sh": "file 0755 #!/bin/sh\n",
};

export const TREE_CASES: readonly Case[] = [
  tree("a tree is copied with the folders that it needs", {}, {}, { actions: ["create"], after: COPIED }),
  tree("a tree that is there is nothing to do", COPIED, {}, { actions: [] }),
  tree(
    "a file that differs is replaced, and no other",
    { ...COPIED, "w/css/a.css": "file 0640 b\n" },
    {},
    {
      actions: ["content"],
      after: { ...COPIED, "w/css/a.css": "file 0640 a\n" },
      diff: "--- $/w/css/a.css\n+++ $/w/css/a.css\n@@ -1 +1 @@\n-b\n+a\n",
    },
  ),
  tree(
    "a folder where a file belongs is told",
    { ...COPIED, "w/css/a.css": "dir 0755", "w/css": "dir 0755" },
    {},
    { error: "is no file, but one belongs there" },
  ),
  tree(
    "what is not in the source stays without purge",
    { ...COPIED, "w/old": "file 0644 x" },
    {},
    { actions: [] },
  ),
  tree(
    "purge removes what is not in the source, folders too, and follows no link",
    { ...COPIED, "w/old/deep/x": "file 0644 x", "w/l": "link ../out", out: "file 0644 x" },
    { purge: true },
    {
      actions: ["remove"],
      after: { ...COPIED, out: "file 0644 x" },
      diff: "removed: $/w/l\nremoved: $/w/old/deep/x\nremoved: $/w/old/deep\nremoved: $/w/old\n",
    },
  ),
  tree(
    "purge in a folder that is missing is nothing more",
    {},
    { purge: true },
    { actions: ["create"], after: COPIED },
  ),
  tree(
    "files and folders get their modes",
    { ...COPIED, "w/index.html": "file 0600 home\n" },
    { mode: 0o640, directoryMode: "0750" },
    {
      actions: ["mode"],
      after: {
        w: "dir 0750",
        "w/css": "dir 0750",
        "w/css/a.css": "file 0640 a\n",
        "w/index.html": "file 0640 home\n",
        "w/run.sh": "file 0640 #!/bin/sh\n",
      },
    },
  ),
  tree(
    "new files and folders get their modes at once",
    {},
    { mode: 0o600, directoryMode: 0o700 },
    {
      actions: ["create"],
      after: {
        w: "dir 0700",
        "w/css": "dir 0700",
        "w/css/a.css": "file 0600 a\n",
        "w/index.html": "file 0600 home\n",
        "w/run.sh": "file 0600 #!/bin/sh\n",
      },
    },
  ),
  tree(
    "a program becomes executable again, for those that may read it",
    { ...COPIED, "w/run.sh": "file 0640 #!/bin/sh\n" },
    {},
    {
      actions: ["mode"],
      after: { ...COPIED, "w/run.sh": "file 0750 #!/bin/sh\n" },
      diff: "$/w/run.sh: mode: 0640 -> 0750\n",
    },
  ),
  tree(
    "a text is executable no more",
    { ...COPIED, "w/index.html": "file 0755 home\n" },
    {},
    { actions: ["mode"], after: COPIED },
  ),
  tree(
    "content, mode and leftovers are put right together",
    { ...COPIED, "w/index.html": "file 0600 no\n", "w/x": "file 0644 x" },
    { purge: true, mode: 0o644 },
    {
      actions: ["content", "mode", "remove"],
      after: { ...COPIED, "w/run.sh": "file 0644 #!/bin/sh\n" },
    },
  ),
  tree(
    "a file that is missing is made",
    Object.fromEntries(Object.entries(COPIED).filter(([at]) => at !== "w/css/a.css")),
    {},
    {
      actions: ["create"],
      after: COPIED,
      diff: "--- /dev/null\n+++ $/w/css/a.css\n@@ -0,0 +1 @@\n+a\n",
    },
  ),
  {
    ...tree("folders above that are missing are made", {}, {}, { actions: ["create"] }),
    name: "$/x/y/w",
    after: {
      x: "dir 0755",
      "x/y": "dir 0755",
      ...Object.fromEntries(Object.entries(COPIED).map(([at, entry]) => [`x/y/${at}`, entry])),
    },
  },
  tree(
    "owner and group are given to all of it",
    COPIED,
    { owner: 12345, group: 12345 },
    {
      only: "root",
      actions: ["owner", "group"],
      after: Object.fromEntries(Object.entries(COPIED).map(([at, entry]) => [at, `12345:${entry}`])),
    },
  ),
  tree("a file where the tree goes is told", { w: "file 0644 " }, {}, { error: "a file stands there" }),
  tree(
    "a file where a folder belongs is told",
    { "w/css": "file 0644 " },
    {},
    { error: "$/w/css is no folder" },
  ),
  tree(
    "a link where a folder belongs is not followed",
    { "w/css": "link ../out", out: "dir 0755" },
    {},
    { error: "$/w/css is no folder" },
  ),
  tree(
    "a link where a file belongs is not followed",
    { "w/index.html": "link ../out", out: "file 0644 x" },
    {},
    { error: "is no file, but one belongs there" },
  ),
  tree(
    "a link to the folder itself is followed",
    { w: "link real", "real/run.sh": "file 0755 #!/bin/sh\n" },
    {},
    {
      actions: ["create"],
      after: {
        w: "link real",
        real: "dir 0755",
        "real/css": "dir 0755",
        "real/css/a.css": "file 0644 a\n",
        "real/index.html": "file 0644 home\n",
        "real/run.sh": "file 0755 #!/bin/sh\n",
      },
    },
  ),
  tree(
    "a folder that did not come as a whole is named",
    {},
    { source: "sit" },
    { error: '"sit/" to the role' },
  ),
  tree("it needs a source", {}, { source: undefined }, { error: 'needs the option "source"' }),
  tree(
    "a folder that can't be written in is told when it is planned",
    { w: "dir 0555" },
    {},
    { only: "user", error: "can't be written in: permission denied" },
  ),
];
