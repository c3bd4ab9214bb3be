import {
  debRepository,
  npmRegistry,
  pacmanRepository,
  RPM_DATABASE,
  rpmRepository,
  SIGNING_KEY,
  wheels,
} from "../../containers/support/repositories.js";
import { type Draft, type State, type StateTable, statesOf } from "../state.js";

/** How a state's packages are brought about and looked at, past the manager that is tried. */
interface Manager {
  readonly provider: string;
  /** The package's name and version in the manager's words */
  readonly name: (fruit: string) => string;
  readonly version: (version: string) => string;
  /** Shell lines: exactly these are installed, of apple, pear and plum ("apple 1.0") */
  readonly only: (...packages: string[]) => string;
  /** A shell command that prints what is installed of them, in the same words */
  readonly list: string;
  readonly options?: object;
  /** What becomes of a package that another one needs when it shall go; undefined: none needs another */
  readonly needed?: "both go" | "refused";
}

const NEEDS = ["pie 1.0 apple", "cake 1.0 sugar"];
const FRUIT = ["apple 1.0", "apple 1.1", "apple 2.0", "pear 1.0", "pear 1.5", "plum 1.0"];

/** Of managers that take their time, what differs from the others'. */
const TELLING = ["a list is brought up to date", "of a list those that are there go", "an older version"];
const MORE = [...TELLING, "one is installed", "an older one will do", "one that nobody knows"];

/** What every manager does alike; those that have one version of each only are not asked for others. */
function alike(
  manager: Manager,
  { versions = true, only }: { versions?: boolean; only?: readonly string[] } = {},
): readonly State[] {
  const { provider, name, version } = manager;
  const state = (
    claim: string,
    before: readonly string[],
    asked: string | readonly string[],
    options: object,
    rest: Pick<State, "changes" | "error" | "diff">,
    after: readonly string[] = before,
  ): State => ({
    type: "package",
    claim: `${provider}: ${claim}`,
    prepare: manager.only(...before),
    name: typeof asked === "string" ? name(asked) : asked.map(name),
    options: { provider, ...manager.options, ...options },
    ...rest,
    stands: `test "$(${manager.list} | sort | tr '\\n' ' ')" = "${after.map((one) => `${one} `).join("")}"`,
  });
  const OLD = "apple 1.0";
  const all = [
    state("one is installed", [], "apple", {}, { changes: ["install"] }, ["apple 2.0"]),
    state("an older one will do", [OLD], "apple", {}, { changes: [] }),
    state("an older one is brought up to date", [OLD], "apple", { latest: true }, { changes: ["upgrade"] }, [
      "apple 2.0",
    ]),
    state("the newest is the latest", ["apple 2.0"], "apple", { latest: true }, { changes: [] }),
    state("of a list those that are missing come", [OLD], ["apple", "pear"], {}, { changes: ["install"] }, [
      OLD,
      "pear 1.5",
    ]),
    state(
      "a list is brought up to date",
      [OLD, "plum 1.0"],
      ["apple", "pear", "plum"],
      { latest: true },
      { changes: ["install", "upgrade"] },
      ["apple 2.0", "pear 1.5", "plum 1.0"],
    ),
    state("one goes", [OLD, "plum 1.0"], "apple", { absent: true }, { changes: ["remove"] }, ["plum 1.0"]),
    state(
      "of a list those that are there go",
      [OLD, "plum 1.0"],
      ["apple", "pear"],
      { absent: true },
      { changes: ["remove"] },
      ["plum 1.0"],
    ),
    state("one that is not there is absent", ["plum 1.0"], "apple", { absent: true }, { changes: [] }),
    state(
      "one that nobody knows",
      [],
      "nosuch",
      {},
      { error: `${provider} knows no package "${name("nosuch")}"` },
    ),
  ];
  const ofVersions = [
    state("a newer version", [OLD], "apple", { version: version("1.1") }, { changes: ["version"] }, [
      "apple 1.1",
    ]),
    state("an older version", ["apple 2.0"], "apple", { version: version("1.1") }, { changes: ["version"] }, [
      "apple 1.1",
    ]),
    state(
      "a version that is not there is installed",
      [],
      "apple",
      { version: version("1.1") },
      { changes: ["install"] },
      ["apple 1.1"],
    ),
    state("the version that is there", ["apple 1.1"], "apple", { version: version("1.1") }, { changes: [] }),
    state("a version with a star", ["apple 2.0"], "apple", { version: "1.*" }, { changes: ["version"] }, [
      "apple 1.1",
    ]),
    state(
      "a version that nobody has",
      [OLD],
      "apple",
      { version: "9" },
      { error: `${provider} has no version "9"` },
    ),
  ];
  const pie = ["apple 1.0", "pie 1.0"];
  const ofNeeds = [
    state("what it needs comes along", [], "pie", {}, { changes: ["install"], diff: "apple: none -> 2.0" }, [
      "apple 2.0",
      "pie 1.0",
    ]),
    state("what it needs is there", [OLD], "pie", {}, { changes: ["install"] }, pie),
    state("what it needs can't be had", [], "cake", {}, { error: "sugar" }),
    manager.needed === "refused"
      ? state("another one needs it", pie, "apple", { absent: true }, { error: "required by pie" })
      : state(
          "what needs it goes along",
          pie,
          "apple",
          { absent: true },
          { changes: ["remove"], diff: "pie: 1.0" },
          [],
        ),
  ];
  return [...all, ...(versions ? ofVersions : []), ...(manager.needed ? ofNeeds : [])].filter(
    ({ claim }) => only?.includes(claim.slice(provider.length + 2)) ?? true,
  );
}

const deb = (one: string) => `/repo/deb/pool/${one.replace(" ", "_")}_all.deb`;
const APT: Manager = {
  provider: "apt",
  name: (fruit) => fruit,
  version: (version) => version,
  // apt takes dpkg's status for unchanged where it has the same size in the same second.
  only: (...packages) =>
    [
      "apt-mark unhold apple pear plum pie >/dev/null 2>&1 || true",
      "dpkg -P pie cake apple pear plum >/dev/null 2>&1 || true",
      packages.length > 0 ? `dpkg -i ${packages.map(deb).join(" ")} >/dev/null` : "true",
      "rm -f /var/cache/apt/*.bin",
    ].join("\n"),
  needed: "both go",
  list: "dpkg-query -W -f='${db:Status-Status} ${Package} ${Version}\\n' apple pear plum pie 2>/dev/null | sed -n 's/^installed //p'",
};
const apt = (
  claim: string,
  prepare: string,
  name: string | readonly string[],
  options: object,
  rest: Pick<State, "changes" | "error" | "stands">,
): Draft => ({ claim: `apt: ${claim}`, prepare, name, options: { provider: "apt", ...options }, ...rest });
const debs = (...packages: string[]) =>
  `test "$(${APT.list} | sort | tr '\\n' ' ')" = "${packages.map((one) => `${one} `).join("")}"`;

const ONLY_APT: readonly Draft[] = [
  apt(
    "a list under a label",
    APT.only(),
    "the fruit",
    { names: ["apple", "plum", "apple"] },
    { changes: ["install"], stands: debs("apple 2.0", "plum 1.0") },
  ),
  apt(
    "one that was removed and left its configuration is not there",
    `${APT.only("jam 1.0")}; dpkg -r jam`,
    "jam",
    { absent: true },
    { changes: [] },
  ),
  apt(
    "one that left its configuration is installed",
    "true",
    "jam",
    {},
    { changes: ["install"], stands: "dpkg-query -W -f='${db:Status-Status}' jam | grep -qx installed" },
  ),
  apt(
    "one that was edited keeps its configuration",
    `rm -f /var/cache/apt/*.bin; dpkg -P jam; dpkg -i ${deb("jam 1.0")}; echo mine >/etc/jam`,
    "jam",
    { latest: true },
    { changes: ["upgrade"], stands: 'test "$(cat /etc/jam)" = mine' },
  ),
  apt(
    "one that was unpacked only is installed",
    `${APT.only()}; dpkg --unpack ${deb("plum 1.0")}`,
    "plum",
    {},
    { changes: ["install"], stands: debs("plum 1.0") },
  ),
  apt(
    "held, and any version will do",
    `${APT.only("apple 1.0")}; apt-mark hold apple`,
    "apple",
    {},
    { changes: [] },
  ),
  apt(
    "held, and it shall be the latest",
    "true",
    "apple",
    { latest: true },
    { error: "held", stands: debs("apple 1.0") },
  ),
  apt(
    "held, and it shall be another version",
    "true",
    "apple",
    { version: "1.1" },
    { error: "held", stands: debs("apple 1.0") },
  ),
  apt(
    "held, and it shall go",
    "true",
    "apple",
    { absent: true },
    { error: "held", stands: debs("apple 1.0") },
  ),
  apt(
    "lists that are new enough",
    APT.only("apple 1.0"),
    "apple",
    { latest: true, updateCache: true },
    { changes: ["upgrade"], stands: debs("apple 2.0") },
  ),
  apt(
    "what others provide is no package",
    APT.only(),
    "fruit",
    {},
    { error: 'apt knows no package "fruit"' },
  ),
  apt(
    "a sign behind a name is no order to apt",
    APT.only("apple 1.0"),
    "apple-",
    {},
    { error: 'apt knows no package "apple-"', stands: debs("apple 1.0") },
  ),
];

export const APT_TABLE: StateTable = {
  prepare: `echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/quick
${SIGNING_KEY}
${debRepository([...FRUIT, ...NEEDS, "jam 1.0", "jam 1.1"])}
printf 'deb [trusted=yes] file:///repo/deb trial main\\n' >/etc/apt/sources.list.d/states.list
apt-get update -qq`,
  states: [...alike(APT), ...statesOf("package", ONLY_APT)],
  untouched: ["/etc", "/opt", "/var/lib/dpkg/info", "/var/lib/dpkg/status"],
  watch: "apt-mark showhold",
};

const rpm = (one: string) => `/repo/rpm/${one.replace(" ", "-")}-1.rpm`;
const rpms = (provider: string): Manager => ({
  provider,
  name: (fruit) => fruit,
  version: (version) => version,
  // One that nobody asks for stays: zypper can't read an empty database.
  only: (
    ...packages
  ) => `rpm -e --nodeps $(rpm -q --qf '%{name}\\n' apple pear plum pie 2>/dev/null | grep -v ' ') 2>/dev/null || true
${packages.length > 0 ? `rpm -i --nosignature ${packages.map(rpm).join(" ")}` : ""}`,
  needed: "both go",
  list: "rpm -qa --qf '%{name} %{version}\\n' | grep -E '^(apple|pear|plum|pie) ' | cat",
});
const RPMS = `${RPM_DATABASE}\n${rpmRepository([...FRUIT, ...NEEDS, "stone 1.0"])}\nrpm -i --nosignature ${rpm("stone 1.0")} || true\n`;

export const DNF_TABLE: StateTable = {
  prepare: `mkdir -p /etc/dnf/vars /etc/yum.repos.d; echo 9 >/etc/dnf/vars/releasever
${SIGNING_KEY}
${RPMS}
printf '[states]\\nname=states\\nbaseurl=file:///repo/rpm\\ngpgcheck=0\\n' >/etc/yum.repos.d/states.repo
dnf -q makecache`,
  states: alike(rpms("dnf")),
  untouched: ["/etc", "/opt"],
  watch: "rpm -qa | sort",
};
export const ZYPPER_TABLE: StateTable = {
  prepare: `test -e /repo/rpm || { ${RPMS} }
zypper -n -q addrepo --no-gpgcheck file:///repo/rpm states; zypper -n -q refresh`,
  states: alike(rpms("zypper")),
  untouched: ["/etc", "/opt"],
  watch: "rpm -qa | sort",
};

const PACMAN_OLD = ["apple 1.0-1", "pear 1.0-1", "plum 1.0-1", "pie 1.0-1 apple"];
const PACMAN: Manager = {
  provider: "pacman",
  name: (fruit) => fruit,
  version: (version) => version,
  only: (...packages) =>
    [
      "for p in pie apple pear plum; do pacman -Q $p >/dev/null 2>&1 && pacman -R --noconfirm $p >/dev/null; done || true",
      packages.length > 0
        ? `pacman -U --noconfirm ${packages.map((one) => `/repo/old/${one.replace(" ", "-")}-1-any.pkg.tar.gz`).join(" ")} >/dev/null`
        : "",
    ].join("\n"),
  needed: "refused",
  list: "pacman -Q | sed 's/-1$//' | grep -E '^(apple|pear|plum|pie) ' | cat",
};
export const PACMAN_TABLE: StateTable = {
  prepare: `${pacmanRepository(PACMAN_OLD)}
mkdir -p /repo/old; cp /repo/pacman/*.gz /repo/old
${pacmanRepository(["apple 2.0-1", "pear 1.5-1", "plum 1.0-1", "pie 1.0-1 apple", "cake 1.0-1 sugar"])}
cp /repo/pacman/*.gz /repo/old
printf '[options]\\nArchitecture = auto\\nSigLevel = Never\\n[trial]\\nServer = file:///repo/pacman\\n' >/etc/pacman.conf
mkdir -p /var/lib/pacman; pacman -Sy --noconfirm >/dev/null`,
  states: alike(PACMAN, { versions: false }),
  untouched: ["/etc", "/opt"],
  watch: "pacman -Q || true",
};

/** As pip would have put it there, which takes it a second. */
const PIP: Manager = {
  provider: "pip",
  name: (fruit) => `mop-${fruit}`,
  version: (version) => version,
  only: (...packages) => `cd /srv/venv/lib/python3*/site-packages
rm -rf mop_*
${packages
  .map((one) => {
    const [name, version] = one.split(" ");
    const info = `mop_${name}-${version}.dist-info`;
    return `python3 -m zipfile -e /repo/pip/mop_${name}-${version}-py3-none-any.whl .
printf 'mop_${name}.py,,\\n${["METADATA", "WHEEL", "RECORD"].map((file) => `${info}/${file},,`).join("\\n")}\\n' >${info}/RECORD`;
  })
  .join("\n")}`,
  list: "ls -d /srv/venv/lib/python3*/site-packages/mop_*.dist-info 2>/dev/null | sed 's/.*mop_\\(.*\\)-\\(.*\\).dist-info/\\1 \\2/'",
  options: { virtualenv: "/srv/venv" },
};
export const PIP_TABLE: StateTable = {
  prepare: `${wheels(FRUIT.map((one) => `mop_${one}`))}
python3 -m venv --without-pip --system-site-packages /srv/venv`,
  states: [
    ...alike(PIP, { only: MORE }),
    {
      claim: "pip: the system's own Python is left alone",
      type: "package",
      name: "mop-apple",
      options: { provider: "pip" },
      error: "PEP 668",
    },
  ],
  untouched: ["/etc", "/srv/venv"],
};

const GLOBAL = "/usr/local/lib/node_modules";
const NPM: Manager = {
  provider: "npm",
  name: (fruit) => `mop-${fruit}`,
  version: (version) => (version.includes("*") ? version : `${version}.0`),
  only: (...packages) =>
    [
      `rm -rf ${GLOBAL}/mop-*`,
      ...packages.map((one) => {
        const [name, version] = one.split(" ");
        const at = `${GLOBAL}/mop-${name}`;
        return `mkdir -p ${at}; tar -xzf /repo/npm/mop-${name}-${version}.0.tgz -C ${at} --strip-components 1`;
      }),
    ].join("\n"),
  list: `cat ${GLOBAL}/mop-*/package.json 2>/dev/null | grep -oE '"(name|version)": *"[^"]*"' | cut -d'"' -f4 | sed 's/^mop-//; s/\\.0$//' | paste -d' ' - -`,
};
export const NPM_TABLE: StateTable = {
  prepare: npmRegistry(FRUIT.map((one) => `mop-${one}.0`)),
  states: alike(NPM, { only: TELLING }),
  untouched: ["/etc", GLOBAL],
};
