import { packageType } from "../../../../../engine/leaf/types/packages/package.js";
import { type SystemCase, testSystemCases } from "../system.js";

const facts = { packageManager: "apt" };
const QUERY = "dpkg-query -W -f=${Package}\\t${Architecture}\\t${Version}\\t${db:Status-Status}\\n";
const INSTALL =
  "apt-get install -y -q -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=120";
const REMOVE = INSTALL.replace("install", "remove");
const UPDATE = "apt-get update -q -o DPkg::Lock::Timeout=120";
const NEWER = "nginx\tamd64\t1.24.0-1\tinstalled\n";
const NGINX = "nginx\tamd64\t1.22.1-9\tinstalled\n";
const CURL = "curl\tamd64\t7.88.1-10\tinstalled\n";
const none = { rc: 1, stderr: "dpkg-query: no packages found matching nginx\n" };
const policy = (name: string, candidate: string) =>
  `${name}:\n  Installed: (none)\n  Candidate: ${candidate}\n  Version table:\n     ${candidate} 500\n`;
const madison = (...versions: string[]) =>
  versions.map((v) => `     nginx | ${v} | http://m bookworm/main amd64 Packages\n`).join("");

const CASES: readonly SystemCase[] = [
  {
    claim: "one that is installed needs nothing",
    state: { facts, programs: { [`${QUERY} nginx`]: NGINX } },
    name: "nginx",
    actions: [],
    ran: [],
  },
  {
    claim: "one that is missing is to be installed, in the version that apt would take",
    state: {
      facts,
      programs: { [`${QUERY} nginx`]: none, "apt-cache policy nginx": policy("nginx", "1.22.1-9") },
    },
    name: "nginx",
    actions: ["install"],
    diff: "nginx: none -> 1.22.1-9\n",
    ran: [`${INSTALL} nginx`],
    after: { facts, programs: { [`${QUERY} nginx`]: NGINX } },
  },
  {
    claim: "one whose configuration alone is left counts as missing",
    state: {
      facts,
      programs: {
        [`${QUERY} nginx`]: "nginx\tamd64\t1.22.1-9\tconfig-files\n",
        "apt-cache policy nginx": policy("nginx", "1.22.1-9"),
      },
    },
    name: "nginx",
    actions: ["install"],
  },
  {
    claim: "one of another architecture does not stand for the host's",
    state: {
      facts,
      programs: {
        [`${QUERY} nginx:i386`]: "nginx\tamd64\t1.22.1-9\tinstalled\n",
        "apt-cache policy nginx:i386": policy("nginx:i386", "1.22.1-9"),
      },
    },
    name: "nginx:i386",
    actions: ["install"],
  },
  {
    claim: "of a list only what is missing is to be installed",
    state: {
      facts,
      programs: { [`${QUERY} nginx curl`]: CURL, "apt-cache policy nginx": policy("nginx", "1.22.1-9") },
    },
    name: "web",
    options: { names: ["nginx", "curl"] },
    actions: ["install"],
    diff: "nginx: none -> 1.22.1-9\n",
  },
  {
    claim: "a list that is all there needs nothing",
    state: { facts, programs: { [`${QUERY} nginx curl`]: NGINX + CURL } },
    name: "web",
    options: { names: ["nginx", "curl", "nginx"] },
    actions: [],
  },
  {
    claim: "names that apt does not know are named",
    state: {
      facts,
      programs: { [`${QUERY} nginx nosuch other`]: NGINX, "apt-cache policy nosuch other": "" },
    },
    name: "web",
    options: { names: ["nginx", "nosuch", "other"] },
    error: 'apt knows no package "nosuch", "other"; "updateCache: true" fetches its lists first',
  },
  {
    claim: "a virtual package without a candidate is refused",
    state: { facts, programs: { [`${QUERY} awk`]: none, "apt-cache policy awk": policy("awk", "(none)") } },
    name: "awk",
    error: 'apt knows no package "awk"',
  },
  {
    claim: "under --check lists that will be fetched may know it",
    state: { facts, programs: { [`${QUERY} nosuch`]: none, "apt-cache policy nosuch": "" } },
    name: "nosuch",
    options: { updateCache: true },
    actions: ["install"],
    diff: "nosuch: none -> installed\n",
  },
  {
    claim: "updateCache fetches nothing for what is there",
    state: { facts, programs: { [`${QUERY} nginx`]: NGINX } },
    name: "nginx",
    options: { updateCache: true },
    actions: [],
    ran: [],
  },
  {
    claim: "latest does nothing where the candidate is installed",
    state: {
      facts,
      programs: { [`${QUERY} nginx`]: NGINX, "apt-cache policy nginx": policy("nginx", "1.22.1-9") },
    },
    name: "nginx",
    options: { latest: true },
    actions: [],
    ran: [],
  },
  {
    claim: "latest brings an older one up",
    state: {
      facts,
      programs: { [`${QUERY} nginx`]: NGINX, "apt-cache policy nginx": policy("nginx", "1.24.0-1") },
    },
    name: "nginx",
    options: { latest: true },
    actions: ["upgrade"],
    diff: "nginx: 1.22.1-9 -> 1.24.0-1\n",
    ran: [`${INSTALL} --allow-downgrades nginx=1.24.0-1`],
    after: {
      facts,
      programs: { [`${QUERY} nginx`]: NEWER, "apt-cache policy nginx": policy("nginx", "1.24.0-1") },
    },
  },
  {
    claim: "lists are fetched before anything is looked up in them",
    state: {
      facts,
      programs: { [`${QUERY} nginx`]: none, "apt-cache policy nginx": policy("nginx", "1.22.1-9") },
    },
    name: "nginx",
    options: { updateCache: true },
    actions: ["install"],
    ran: [UPDATE, `${INSTALL} nginx`],
    after: { facts, programs: { [`${QUERY} nginx`]: NGINX } },
  },
  {
    claim: "latest of a list installs and upgrades at once",
    state: {
      facts,
      programs: {
        [`${QUERY} nginx curl`]: CURL,
        "apt-cache policy nginx curl": policy("nginx", "1.24.0-1") + policy("curl", "8.0-1"),
      },
    },
    name: "web",
    options: { names: ["nginx", "curl"], latest: true },
    actions: ["install", "upgrade"],
    diff: "nginx: none -> 1.24.0-1\ncurl: 7.88.1-10 -> 8.0-1\n",
    ran: [`${INSTALL} --allow-downgrades nginx=1.24.0-1 curl=8.0-1`],
    after: {
      facts,
      programs: {
        [`${QUERY} nginx curl`]: `${NEWER}curl\tamd64\t8.0-1\tinstalled\n`,
        "apt-cache policy nginx curl": policy("nginx", "1.24.0-1") + policy("curl", "8.0-1"),
      },
    },
  },
  {
    claim: "latest leaves alone what no repository has",
    state: { facts, programs: { [`${QUERY} own`]: "own\tall\t1\tinstalled\n", "apt-cache policy own": "" } },
    name: "own",
    options: { latest: true },
    actions: [],
  },
  {
    claim: "a version without its revision fits",
    state: { facts, programs: { [`${QUERY} nginx`]: NGINX } },
    name: "nginx",
    options: { version: "1.22.1" },
    actions: [],
  },
  {
    claim: "a version with a star fits",
    state: { facts, programs: { [`${QUERY} nginx`]: NGINX } },
    name: "nginx",
    options: { version: "1.22*" },
    actions: [],
  },
  {
    claim: "a version without its epoch fits",
    state: { facts, programs: { [`${QUERY} vim`]: "vim\tamd64\t2:9.0.1378-2\tinstalled\n" } },
    name: "vim",
    options: { version: "9.0.1378" },
    actions: [],
  },
  {
    claim: "another version is taken, the newest that fits",
    state: {
      facts,
      programs: {
        [`${QUERY} nginx`]: NGINX,
        "apt-cache madison nginx": madison("1.26.0-1", "1.24.2-1", "1.24.0-1"),
      },
    },
    name: "nginx",
    options: { version: "1.24*" },
    actions: ["version"],
    diff: "nginx: 1.22.1-9 -> 1.24.2-1\n",
  },
  {
    claim: "a missing one is to be installed in a version",
    state: { facts, programs: { [`${QUERY} nginx`]: none, "apt-cache madison nginx": madison("1.24.2-1") } },
    name: "nginx",
    options: { version: "1.24.2-1" },
    actions: ["install"],
  },
  {
    claim: "a version that is not there is refused with those that are",
    state: {
      facts,
      programs: { [`${QUERY} nginx`]: NGINX, "apt-cache madison nginx": madison("1.24.2-1", "1.22.1-9") },
    },
    name: "nginx",
    options: { version: "9.9" },
    error: 'apt has no version "9.9" of nginx, only 1.24.2-1, 1.22.1-9',
  },
  {
    claim: "1.2 is not 1.22",
    state: { facts, programs: { [`${QUERY} nginx`]: NGINX, "apt-cache madison nginx": madison("1.22.1-9") } },
    name: "nginx",
    options: { version: "1.2" },
    error: 'apt has no version "1.2" of nginx',
  },
  {
    claim: "one that is there is to be removed",
    state: { facts, programs: { [`${QUERY} nginx`]: NGINX } },
    name: "nginx",
    options: { absent: true },
    actions: ["remove"],
    diff: "nginx: 1.22.1-9 -> none\n",
    ran: [`${REMOVE} nginx`],
    after: { facts, programs: { [`${QUERY} nginx`]: none } },
  },
  {
    claim: "of a list only what is there is to be removed",
    state: { facts, programs: { [`${QUERY} nginx curl`]: CURL } },
    name: "web",
    options: { names: ["nginx", "curl"], absent: true },
    actions: ["remove"],
    diff: "curl: 7.88.1-10 -> none\n",
  },
  {
    claim: "what is absent already needs nothing, though apt knows nothing of it",
    state: { facts, programs: { [`${QUERY} nosuch`]: none } },
    name: "nosuch",
    options: { absent: true },
    actions: [],
    ran: [],
  },
  {
    claim: "several names in one text are refused",
    state: { facts },
    name: "nginx curl",
    error: "several are given as a list",
  },
  {
    claim: "an option of the manager is no name",
    state: { facts },
    name: "--purge",
    error: '"--purge" is no name of a package',
  },
  {
    claim: "a name with its version is no name",
    state: { facts },
    name: "nginx=1.2",
    error: '"nginx=1.2" is no name',
  },
  {
    claim: "an empty list is refused",
    state: { facts },
    name: "x",
    options: { names: [] },
    error: 'the list "names" is empty',
  },
  {
    claim: "version and latest don't go together",
    state: { facts },
    name: "nginx",
    options: { version: "1", latest: true },
    error: 'both "version" and "latest"',
  },
  {
    claim: "version and absent don't go together",
    state: { facts },
    name: "nginx",
    options: { version: "1", absent: true },
    error: 'both "version" and "absent"',
  },
  {
    claim: "latest and absent don't go together",
    state: { facts },
    name: "nginx",
    options: { latest: true, absent: true },
    error: 'both "latest" and "absent"',
  },
  {
    claim: "one version is not for a list",
    state: { facts },
    name: "web",
    options: { names: ["a1", "b1"], version: "1" },
    error: "one version can't be for several packages",
  },
  {
    claim: "an empty version is refused",
    state: { facts },
    name: "nginx",
    options: { version: "" },
    error: "is empty",
  },
  {
    claim: "a virtual environment is pip's",
    state: { facts },
    name: "nginx",
    options: { virtualenv: "/srv/venv" },
    error: 'the option "virtualenv" is for the provider pip, not for apt',
  },
  {
    claim: "an unknown provider is refused with the known ones",
    state: { facts },
    name: "nginx",
    options: { provider: "ports" },
    error: 'no provider "ports"; its providers are apt, dnf, yum, zypper, pacman, apk, brew, npm, pip',
  },
  {
    claim: "a host without a manager needs one named",
    state: { facts: { packageManager: null } },
    name: "nginx",
    error: "none of its providers suits this host",
  },
];

testSystemCases(packageType, CASES);
