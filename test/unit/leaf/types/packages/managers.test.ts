import { packageType } from "../../../../../engine/leaf/types/packages/package.js";
import { type SystemCase, testSystemCases } from "../system.js";

const RPM = "rpm -q --qf %{NAME}|%{EPOCHNUM}:%{VERSION}-%{RELEASE}|%{ARCH}\\n";
const missing = (name: string) => ({ rc: 1, stdout: `package ${name} is not installed\n` });
const unprovided = (name: string) => ({ rc: 1, stdout: `no package provides ${name}\n` });
const rpm = (name: string, version: string) => `${name}|${version}|x86_64\n`;
/** What rpm says of one that is not there in any form. */
const absent = (name: string) => ({
  [`${RPM} ${name}`]: missing(name),
  [`${RPM} --whatprovides ${name}`]: unprovided(name),
});

const dnf = { packageManager: "dnf" };
const REPOQUERY = "dnf repoquery -q --qf %{name}|%{epoch}:%{version}-%{release}|%{arch}\\n";

const DNF: readonly SystemCase[] = [
  {
    claim: "one that is installed needs nothing",
    state: { facts: dnf, programs: { [`${RPM} nginx`]: rpm("nginx", "1:1.20.1-14.el9") } },
    name: "nginx",
    actions: [],
    ran: [],
  },
  {
    claim: "one that another package provides counts as installed",
    state: {
      facts: dnf,
      programs: {
        [`${RPM} vim`]: missing("vim"),
        [`${RPM} --whatprovides vim`]: rpm("vim-enhanced", "2:8.2-1"),
      },
    },
    name: "vim",
    actions: [],
  },
  {
    claim: "one that is missing is to be installed",
    state: {
      facts: dnf,
      programs: { ...absent("nginx"), [`${REPOQUERY} nginx`]: rpm("nginx", "1:1.20.1-14.el9") },
    },
    name: "nginx",
    actions: ["install"],
    diff: "nginx: none -> 1:1.20.1-14.el9\n",
    ran: ["dnf install -y -q nginx"],
    after: { facts: dnf, programs: { [`${RPM} nginx`]: rpm("nginx", "1:1.20.1-14.el9") } },
  },
  {
    claim: "one that is known by what it provides is to be installed",
    state: {
      facts: dnf,
      programs: {
        ...absent("vim"),
        [`${REPOQUERY} vim`]: "",
        [`${REPOQUERY} --whatprovides vim`]: rpm("vim-enhanced", "2:8.2-1"),
      },
    },
    name: "vim",
    actions: ["install"],
  },
  {
    claim: "a name that nobody knows is refused",
    state: {
      facts: dnf,
      programs: {
        ...absent("nosuch"),
        [`${REPOQUERY} nosuch`]: "",
        [`${REPOQUERY} --whatprovides nosuch`]: "",
      },
    },
    name: "nosuch",
    error: 'dnf knows no package "nosuch"',
  },
  {
    claim: "latest takes the newest of the repositories' versions, not the first",
    state: {
      facts: dnf,
      programs: {
        [`${RPM} curl`]: rpm("curl", "0:7.76.1-9.el9"),
        [`${REPOQUERY} curl`]:
          rpm("curl", "0:7.76.1-19.el9") + rpm("curl", "0:7.76.1-26.el9") + rpm("curl", "0:7.76.1-9.el9"),
      },
    },
    name: "curl",
    options: { latest: true },
    actions: ["upgrade"],
    diff: "curl: 7.76.1-9.el9 -> 7.76.1-26.el9\n",
    ran: ["dnf install -y -q curl-7.76.1-26.el9"],
    after: {
      facts: dnf,
      programs: {
        [`${RPM} curl`]: rpm("curl", "0:7.76.1-26.el9"),
        [`${REPOQUERY} curl`]: rpm("curl", "0:7.76.1-26.el9"),
      },
    },
  },
  {
    claim: "latest does not go back where the repositories are older",
    state: {
      facts: dnf,
      programs: {
        [`${RPM} curl`]: rpm("curl", "0:8.0-1"),
        [`${REPOQUERY} curl`]: rpm("curl", "0:7.76.1-26.el9"),
      },
    },
    name: "curl",
    options: { latest: true },
    actions: [],
  },
  {
    claim: "the newest of several that are installed side by side counts",
    state: {
      facts: dnf,
      programs: {
        [`${RPM} kernel`]: rpm("kernel", "0:5.14.0-1") + rpm("kernel", "0:5.14.0-2"),
        [`${REPOQUERY} kernel`]: rpm("kernel", "0:5.14.0-2"),
      },
    },
    name: "kernel",
    options: { latest: true },
    actions: [],
  },
  {
    claim: "an older version is taken when it is asked for",
    state: {
      facts: dnf,
      programs: {
        [`${RPM} curl`]: rpm("curl", "0:8.0-1"),
        [`${REPOQUERY} curl`]: rpm("curl", "0:8.0-1") + rpm("curl", "0:7.76.1-26.el9"),
      },
    },
    name: "curl",
    options: { version: "7.76.1" },
    actions: ["version"],
    ran: ["dnf install -y -q curl-7.76.1-26.el9"],
    after: { facts: dnf, programs: { [`${RPM} curl`]: rpm("curl", "0:7.76.1-26.el9") } },
  },
  {
    claim: "a list is removed in one transaction",
    state: { facts: dnf, programs: { [`${RPM} a1 b1`]: rpm("a1", "0:1-1") + rpm("b1", "0:1-1") } },
    name: "both",
    options: { names: ["a1", "b1"], absent: true },
    actions: ["remove"],
    ran: ["dnf remove -y -q a1 b1"],
    after: {
      facts: dnf,
      programs: {
        [`${RPM} a1 b1`]: { rc: 2, stdout: "package a1 is not installed\npackage b1 is not installed\n" },
        [`${RPM} --whatprovides a1`]: unprovided("a1"),
        [`${RPM} --whatprovides b1`]: unprovided("b1"),
      },
    },
  },
];
testSystemCases(
  packageType,
  DNF.map((item) => ({ ...item, claim: `dnf: ${item.claim}` })),
);

const yum = { packageManager: "yum" };
const LIST = "yum -q --showduplicates list available";
const YUM: readonly SystemCase[] = [
  {
    claim: "a row that yum wrapped is read as one",
    state: {
      facts: yum,
      programs: {
        ...absent("a-package-with-a-rather-long-name"),
        [`${LIST} a-package-with-a-rather-long-name`]:
          "Available Packages\na-package-with-a-rather-long-name.x86_64\n                       1:2.4.6-99.el7        updates\n",
      },
    },
    name: "a-package-with-a-rather-long-name",
    actions: ["install"],
    diff: "a-package-with-a-rather-long-name: none -> 1:2.4.6-99.el7\n",
  },
  {
    claim: "what is the newest is no longer among the available ones",
    state: {
      facts: yum,
      programs: {
        [`${RPM} curl`]: rpm("curl", "0:7.29.0-59.el7"),
        [`${LIST} curl`]: { rc: 1, stderr: "Error: No matching Packages to list\n" },
      },
    },
    name: "curl",
    options: { latest: true },
    actions: [],
  },
  {
    claim: "latest brings an older one up",
    state: {
      facts: yum,
      programs: {
        [`${RPM} curl`]: rpm("curl", "0:7.29.0-57.el7"),
        [`${LIST} curl`]:
          "Available Packages\ncurl.x86_64   7.29.0-57.el7   base\ncurl.x86_64   7.29.0-59.el7_9.1  updates\n",
      },
    },
    name: "curl",
    options: { latest: true },
    actions: ["upgrade"],
    ran: ["yum install -y -q curl-7.29.0-59.el7_9.1"],
    after: {
      facts: yum,
      programs: {
        [`${RPM} curl`]: rpm("curl", "0:7.29.0-59.el7_9.1"),
        [`${LIST} curl`]: { rc: 1, stderr: "Error: No matching Packages to list\n" },
      },
    },
  },
  {
    claim: "an unknown name is refused",
    state: { facts: yum, programs: { ...absent("nosuch"), [`${LIST} nosuch`]: { rc: 1 } } },
    name: "nosuch",
    error: 'yum knows no package "nosuch"',
  },
  {
    claim: "one is removed",
    state: { facts: yum, programs: { [`${RPM} curl`]: rpm("curl", "0:7-1") } },
    name: "curl",
    options: { absent: true },
    actions: ["remove"],
    ran: ["yum remove -y -q curl"],
    after: { facts: yum, programs: absent("curl") },
  },
];
testSystemCases(
  packageType,
  YUM.map((item) => ({ ...item, claim: `yum: ${item.claim}` })),
);

const zypper = { packageManager: "zypper" };
const SEARCH = "zypper -n -x search --details --match-exact --type package";
const solvable = (name: string, edition: string, repository = "oss") =>
  `<solvable status="not-installed" name="${name}" kind="package" edition="${edition}" arch="x86_64" repository="${repository}"/>\n`;
const ZYPPER: readonly SystemCase[] = [
  {
    claim: "one that is missing is to be installed in the newest version",
    state: {
      facts: zypper,
      programs: { ...absent("jq"), [`${SEARCH} jq`]: solvable("jq", "1.6-3.2") + solvable("jq", "1.6-3.10") },
    },
    name: "jq",
    actions: ["install"],
    diff: "jq: none -> 1.6-3.10\n",
    ran: ["zypper -n -q install --auto-agree-with-licenses jq"],
    after: { facts: zypper, programs: { [`${RPM} jq`]: rpm("jq", "0:1.6-3.10") } },
  },
  {
    claim: "an unknown name is refused",
    state: {
      facts: zypper,
      programs: { ...absent("nosuch"), [`${SEARCH} nosuch`]: { rc: 104, stdout: "<stream/>" } },
    },
    name: "nosuch",
    error: 'zypper knows no package "nosuch"',
  },
  {
    claim: "what is in no repository any more can't be had in another version",
    state: {
      facts: zypper,
      programs: {
        [`${RPM} jq`]: rpm("jq", "0:1.5-1"),
        [`${SEARCH} jq`]: solvable("jq", "1.5-1", "(System Packages)"),
      },
    },
    name: "jq",
    options: { version: "1.6" },
    error: 'zypper has no version "1.6" of jq, only what is installed',
  },
  {
    claim: "an older version is taken when it is asked for",
    state: {
      facts: zypper,
      programs: {
        [`${RPM} jq`]: rpm("jq", "0:1.7-1"),
        [`${SEARCH} jq`]: solvable("jq", "1.7-1") + solvable("jq", "1.6-3"),
      },
    },
    name: "jq",
    options: { version: "1.6" },
    actions: ["version"],
    ran: ["zypper -n -q install --auto-agree-with-licenses --oldpackage jq=1.6-3"],
    after: { facts: zypper, programs: { [`${RPM} jq`]: rpm("jq", "0:1.6-3") } },
  },
  {
    claim: "one is removed",
    state: { facts: zypper, programs: { [`${RPM} jq`]: rpm("jq", "0:1.7-1") } },
    name: "jq",
    options: { absent: true },
    actions: ["remove"],
    ran: ["zypper -n -q remove jq"],
    after: { facts: zypper, programs: absent("jq") },
  },
];
testSystemCases(
  packageType,
  ZYPPER.map((item) => ({ ...item, claim: `zypper: ${item.claim}` })),
);

const pacman = { packageManager: "pacman" };
const notFound = (name: string) => `error: package '${name}' was not found\n`;
const si = (name: string, version: string) =>
  `Repository      : extra\nName            : ${name}\nVersion         : ${version}\nURL             : https://e.org/a\n\n`;
const PACMAN: readonly SystemCase[] = [
  {
    claim: "rows belong to the names that were found",
    state: {
      facts: pacman,
      programs: {
        "pacman -Q vim nosuch git": { rc: 1, stdout: "gvim 9.0-1\ngit 2.40-1\n", stderr: notFound("nosuch") },
        "pacman -Si nosuch": { rc: 1, stderr: notFound("nosuch") },
      },
    },
    name: "three",
    options: { names: ["vim", "nosuch", "git"] },
    error: 'pacman knows no package "nosuch"',
  },
  {
    claim: "one that is missing is to be installed",
    state: {
      facts: pacman,
      programs: {
        "pacman -Q git": { rc: 1, stderr: notFound("git") },
        "pacman -Si git": si("git", "2.40-1"),
      },
    },
    name: "git",
    actions: ["install"],
    diff: "git: none -> 2.40-1\n",
    ran: ["pacman -S --noconfirm --needed git"],
    after: { facts: pacman, programs: { "pacman -Q git": "git 2.40-1\n" } },
  },
  {
    claim: "the first repository that has it counts",
    state: {
      facts: pacman,
      programs: {
        "pacman -Q git": "git 2.40-1\n",
        "pacman -Si git": si("git", "2.40-1") + si("git", "2.50-1"),
      },
    },
    name: "git",
    options: { latest: true },
    actions: [],
  },
  {
    claim: "latest counts numbers as numbers",
    state: {
      facts: pacman,
      programs: { "pacman -Q git": "git 2.9-1\n", "pacman -Si git": si("git", "2.10-1") },
    },
    name: "git",
    options: { latest: true },
    actions: ["upgrade"],
  },
  {
    claim: "a version other than the repositories' is refused",
    state: {
      facts: pacman,
      programs: { "pacman -Q git": "git 2.40-1\n", "pacman -Si git": si("git", "2.41-1") },
    },
    name: "git",
    options: { version: "2.39" },
    error: 'pacman has no version "2.39" of git, only 2.41-1',
  },
  {
    claim: "one is removed",
    state: { facts: pacman, programs: { "pacman -Q git": "git 2.40-1\n" } },
    name: "git",
    options: { absent: true },
    actions: ["remove"],
    ran: ["pacman -R --noconfirm git"],
    after: { facts: pacman, programs: { "pacman -Q git": { rc: 1, stderr: notFound("git") } } },
  },
];
testSystemCases(
  packageType,
  PACMAN.map((item) => ({ ...item, claim: `pacman: ${item.claim}` })),
);

const apk = { packageManager: "apk" };
const REHEARSE = "apk add --simulate --upgrade";
const APK: readonly SystemCase[] = [
  {
    claim: "a name with digits and dashes is told from its version",
    state: { facts: apk, programs: { "apk info -e -v py3-pip": "py3-pip-23.3.1-r0\n" } },
    name: "py3-pip",
    options: { version: "23.3.1" },
    actions: [],
  },
  {
    claim: "one that is missing is to be installed, as the rehearsal said",
    state: {
      facts: apk,
      programs: {
        "apk info -e -v jq": { rc: 1 },
        [`${REHEARSE} jq`]:
          "(1/2) Installing oniguruma (6.9.9-r0)\n(2/2) Installing jq (1.7.1-r0)\nOK: 9 MiB in 17 packages\n",
      },
    },
    name: "jq",
    actions: ["install"],
    diff: "jq: none -> 1.7.1-r0\n",
    ran: ["apk add -q jq"],
    after: { facts: apk, programs: { "apk info -e -v jq": "jq-1.7.1-r0\n" } },
  },
  {
    claim: "an unknown name beside a known one is named alone",
    state: {
      facts: apk,
      programs: {
        "apk info -e -v jq nosuch": { rc: 1 },
        [`${REHEARSE} jq nosuch`]: {
          rc: 1,
          stdout:
            "ERROR: unable to select packages:\n  nosuch (no such package):\n    required by: world[nosuch]\n",
        },
        [`${REHEARSE} jq`]: "(1/1) Installing jq (1.7.1-r0)\n",
      },
    },
    name: "both",
    options: { names: ["jq", "nosuch"] },
    error: 'apk knows no package "nosuch"',
  },
  {
    claim: "latest brings up what the rehearsal would, and pins nothing",
    state: {
      facts: apk,
      programs: {
        "apk info -e -v jq": "jq-1.6-r0\n",
        [`${REHEARSE} jq`]: "(1/1) Upgrading jq (1.6-r0 -> 1.7.1-r0)\n",
      },
    },
    name: "jq",
    options: { latest: true },
    actions: ["upgrade"],
    diff: "jq: 1.6-r0 -> 1.7.1-r0\n",
    ran: ["apk add -q --upgrade jq"],
    after: {
      facts: apk,
      programs: { "apk info -e -v jq": "jq-1.7.1-r0\n", [`${REHEARSE} jq`]: "OK: 9 MiB in 17 packages\n" },
    },
  },
  {
    claim: "a version that is asked for is pinned",
    state: {
      facts: apk,
      programs: {
        "apk info -e -v jq": { rc: 1 },
        "apk policy jq": "jq policy:\n  1.6-r0:\n    http://a\n  1.7.1-r0:\n    http://b\n",
      },
    },
    name: "jq",
    options: { version: "1.6" },
    actions: ["install"],
    ran: ["apk add -q jq=1.6-r0"],
    after: { facts: apk, programs: { "apk info -e -v jq": "jq-1.6-r0\n" } },
  },
  {
    claim: "one is removed",
    state: { facts: apk, programs: { "apk info -e -v jq": "jq-1.6-r0\n" } },
    name: "jq",
    options: { absent: true },
    actions: ["remove"],
    ran: ["apk del -q jq"],
    after: { facts: apk, programs: { "apk info -e -v jq": { rc: 1 } } },
  },
];
testSystemCases(
  packageType,
  APK.map((item) => ({ ...item, claim: `apk: ${item.claim}` })),
);

const brew = { packageManager: "brew", platform: "darwin" };
const formula = (stable: string, revision = 0) =>
  JSON.stringify({ formulae: [{ name: "jq", versions: { stable }, revision }], casks: [] });
const BREW: readonly SystemCase[] = [
  {
    claim: "one of a tap is found by its short name",
    state: { facts: brew, programs: { "brew list --versions me/tap/jq": "jq 1.6 1.7\n" } },
    name: "me/tap/jq",
    actions: [],
  },
  {
    claim: "one that is missing is to be installed",
    state: {
      facts: brew,
      programs: { "brew list --versions jq": { rc: 1 }, "brew info --json=v2 jq": formula("1.7.1") },
    },
    name: "jq",
    actions: ["install"],
    diff: "jq: none -> 1.7.1\n",
    ran: ["brew install --quiet jq"],
    after: { facts: brew, programs: { "brew list --versions jq": "jq 1.7.1\n" } },
  },
  {
    claim: "a new revision of a formula is newer",
    state: {
      facts: brew,
      programs: { "brew list --versions jq": "jq 1.7.1\n", "brew info --json=v2 jq": formula("1.7.1", 2) },
    },
    name: "jq",
    options: { latest: true },
    actions: ["upgrade"],
    diff: "jq: 1.7.1 -> 1.7.1_2\n",
  },
  {
    claim: "a cask is known too",
    state: {
      facts: brew,
      programs: {
        "brew list --versions firefox": { rc: 1 },
        "brew info --json=v2 firefox": JSON.stringify({
          formulae: [],
          casks: [{ token: "firefox", version: "120.0" }],
        }),
      },
    },
    name: "firefox",
    actions: ["install"],
    diff: "firefox: none -> 120.0\n",
  },
  {
    claim: "an unknown name is refused",
    state: {
      facts: brew,
      programs: { "brew list --versions nosuch": { rc: 1 }, "brew info --json=v2 nosuch": { rc: 1 } },
    },
    name: "nosuch",
    error: 'brew knows no package "nosuch"',
  },
  {
    claim: "one is removed",
    state: { facts: brew, programs: { "brew list --versions jq": "jq 1.7\n" } },
    name: "jq",
    options: { absent: true },
    actions: ["remove"],
    ran: ["brew uninstall --quiet jq"],
    after: { facts: brew, programs: { "brew list --versions jq": { rc: 1 } } },
  },
];
testSystemCases(
  packageType,
  BREW.map((item) => ({ ...item, claim: `brew: ${item.claim}` })),
);
