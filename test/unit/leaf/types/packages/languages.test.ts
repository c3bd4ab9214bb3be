import { packageType } from "../../../../../engine/leaf/types/packages/package.js";
import { type SystemCase, testSystemCases } from "../system.js";

const LS = "npm ls --global --depth=0 --json";
const tree = (dependencies: Record<string, { version: string }>) => JSON.stringify({ dependencies });
const npm = { provider: "npm" };

const NPM: readonly SystemCase[] = [
  {
    claim: "npm: one that is installed needs nothing, though the tree has problems",
    state: { programs: { [LS]: { rc: 1, stdout: tree({ pm2: { version: "5.3.0" } }) } } },
    name: "pm2",
    options: npm,
    actions: [],
  },
  {
    claim: "npm: one that is missing is to be installed",
    state: { programs: { [LS]: tree({}), "npm view pm2 version --json": '"5.3.0"' } },
    name: "pm2",
    options: npm,
    actions: ["install"],
    diff: "pm2: none -> 5.3.0\n",
    ran: ["npm install --global pm2"],
    after: { programs: { [LS]: tree({ pm2: { version: "5.3.0" } }) } },
  },
  {
    claim: "npm: a scoped name is a name",
    state: { programs: { [LS]: "{}", "npm view @a/b version --json": '"1.0.0"' } },
    name: "@a/b",
    options: npm,
    actions: ["install"],
  },
  {
    claim: "npm: latest brings one up to the exact version",
    state: {
      programs: { [LS]: tree({ pm2: { version: "5.2.0" } }), "npm view pm2 version --json": '"5.3.0"' },
    },
    name: "pm2",
    options: { ...npm, latest: true },
    actions: ["upgrade"],
    ran: ["npm install --global pm2@5.3.0"],
    after: {
      programs: { [LS]: tree({ pm2: { version: "5.3.0" } }), "npm view pm2 version --json": '"5.3.0"' },
    },
  },
  {
    claim: "npm: the newest version that fits is taken",
    state: { programs: { [LS]: tree({}), "npm view pm2 versions --json": '["4.0.0","4.5.0","5.3.0"]' } },
    name: "pm2",
    options: { ...npm, version: "4.*" },
    actions: ["install"],
    diff: "pm2: none -> 4.5.0\n",
  },
  {
    claim: "npm: one that has a single version has a text for a list",
    state: { programs: { [LS]: tree({}), "npm view pm2 versions --json": '"4.0.0"' } },
    name: "pm2",
    options: { ...npm, version: "4.0.0" },
    actions: ["install"],
  },
  {
    claim: "npm: an unknown name is refused, without a word on lists",
    state: {
      programs: { [LS]: tree({}), "npm view nosuch version --json": { rc: 1, stdout: '{"error":{}}' } },
    },
    name: "nosuch",
    options: npm,
    error: 'npm knows no package "nosuch"',
  },
  {
    claim: "npm: one is removed",
    state: { programs: { [LS]: tree({ pm2: { version: "5.3.0" } }) } },
    name: "pm2",
    options: { ...npm, absent: true },
    actions: ["remove"],
    ran: ["npm uninstall --global pm2"],
    after: { programs: { [LS]: tree({}) } },
  },
];
testSystemCases(packageType, NPM);

const MANAGED =
  'python3 -c import os,sys,sysconfig;print(sys.prefix==sys.base_prefix and os.path.exists(os.path.join(sysconfig.get_path("stdlib"),"EXTERNALLY-MANAGED")))';
const inVenv = (command: string) => command.replace("python3", "/srv/venv/bin/python");
const LIST = "python3 -m pip list --format=json";
const pip = { provider: "pip" };
const list = (...packages: { name: string; version: string }[]) => JSON.stringify(packages);

const PIP: readonly SystemCase[] = [
  {
    claim: "pip: the name's spelling does not matter",
    state: { programs: { [MANAGED]: "False\n", [LIST]: list({ name: "Foo_Bar", version: "1.0" }) } },
    name: "foo.bar",
    options: pip,
    actions: [],
  },
  {
    claim: "pip: a Python that belongs to the distribution is left alone",
    state: { programs: { [MANAGED]: "True\n" } },
    name: "requests",
    options: pip,
    error: "PEP 668",
  },
  {
    claim: "pip: no Python, no packages",
    state: { programs: { [MANAGED]: { rc: 127 } } },
    name: "requests",
    options: pip,
    error: "there is no python3 on this host",
  },
  {
    claim: "pip: a folder that is no virtual environment is refused with the way out",
    state: { programs: { [inVenv(MANAGED)]: { rc: 127 } } },
    name: "requests",
    options: { ...pip, virtualenv: "/srv/venv" },
    error: "/srv/venv is no virtual environment; `python3 -m venv` makes one",
  },
  {
    claim: "pip: a virtual environment's own Python is asked and told",
    state: {
      programs: {
        [inVenv(MANAGED)]: "False\n",
        [inVenv(LIST)]: "[]",
        [inVenv("python3 -m pip index versions requests")]:
          "requests (2.31.0)\nAvailable versions: 2.31.0, 2.30.0\n",
      },
    },
    name: "requests",
    options: { ...pip, virtualenv: "/srv/venv" },
    actions: ["install"],
    diff: "requests: none -> 2.31.0\n",
    ran: [inVenv("python3 -m pip install -q requests")],
    after: {
      programs: {
        [inVenv(MANAGED)]: "False\n",
        [inVenv(LIST)]: list({ name: "requests", version: "2.31.0" }),
      },
    },
  },
  {
    claim: "pip: an older version is taken when it is asked for",
    state: {
      programs: {
        [MANAGED]: "False\n",
        [LIST]: list({ name: "requests", version: "2.31.0" }),
        "python3 -m pip index versions requests": "requests (2.31.0)\nAvailable versions: 2.31.0, 2.30.0\n",
      },
    },
    name: "requests",
    options: { ...pip, version: "2.30.0" },
    actions: ["version"],
    ran: ["python3 -m pip install -q requests==2.30.0"],
    after: { programs: { [MANAGED]: "False\n", [LIST]: list({ name: "requests", version: "2.30.0" }) } },
  },
  {
    claim: "pip: an unknown name is refused",
    state: {
      programs: { [MANAGED]: "False\n", [LIST]: "[]", "python3 -m pip index versions nosuch": { rc: 1 } },
    },
    name: "nosuch",
    options: pip,
    error: 'pip knows no package "nosuch"',
  },
  {
    claim: "pip: one is removed",
    state: { programs: { [MANAGED]: "False\n", [LIST]: list({ name: "requests", version: "2.31.0" }) } },
    name: "requests",
    options: { ...pip, absent: true },
    actions: ["remove"],
    ran: ["python3 -m pip uninstall -q -y requests"],
    after: { programs: { [MANAGED]: "False\n", [LIST]: "[]" } },
  },
];
testSystemCases(packageType, PIP);
