import type { State, StateTable } from "../state.js";

type Draft = Omit<State, "type">;

/** crontab of the user "shop", which each state finds as it needs it. */
const crontab = (lines: string) => `printf '${lines}' | crontab -u shop -`;
const lists = (lines: string) => `crontab -u shop -l >now; printf '${lines}' | cmp - now`;
const MINE = { user: "shop", command: "/bin/x" };
const D = "/etc/cron.d/states";
const inFile = (lines: string) => `printf '${lines}' | cmp - ${D}`;

const CRON: readonly Draft[] = [
  {
    claim: "a first job makes the crontab",
    prepare: "crontab -u shop -r 2>/dev/null || true",
    name: "a",
    options: { ...MINE, minute: 5, hour: 3 },
    changes: ["create"],
    stands: lists("# mop: a\\n5 3 * * * /bin/x\\n"),
  },
  {
    claim: "an empty crontab gets its first job",
    prepare: crontab(""),
    name: "a",
    options: { ...MINE, schedule: "@hourly" },
    changes: ["create"],
    stands: lists("# mop: a\\n@hourly /bin/x\\n"),
  },
  {
    claim: "lines of others stay in front",
    prepare: crontab("MAILTO=root\\n# mine\\n1 1 * * * /first\\n"),
    name: "a",
    options: { ...MINE, weekday: "mon" },
    changes: ["create"],
    stands: lists("MAILTO=root\\n# mine\\n1 1 * * * /first\\n# mop: a\\n* * * * mon /bin/x\\n"),
  },
  {
    claim: "a job that is right",
    prepare: crontab("# mop: a\\n5 3 * * * /bin/x\\n"),
    name: "a",
    options: { ...MINE, minute: 5, hour: 3 },
    changes: [],
  },
  {
    claim: "a schedule in other words is another line",
    prepare: crontab("# mop: a\\n5 3 * * * /bin/x\\n"),
    name: "a",
    options: { ...MINE, minute: "05", hour: 3 },
    changes: ["change"],
    stands: lists("# mop: a\\n05 3 * * * /bin/x\\n"),
  },
  {
    claim: "another command takes the job's place",
    prepare: crontab("# mop: a\\n@daily /old\\n# mop: b\\n@daily /b\\n"),
    name: "a",
    options: { ...MINE, schedule: "@daily" },
    changes: ["change"],
    stands: lists("# mop: a\\n@daily /bin/x\\n# mop: b\\n@daily /b\\n"),
  },
  {
    claim: "a mark whose job is gone gets it again",
    prepare: crontab("# mop: a\\n\\n@daily /b\\n"),
    name: "a",
    options: { ...MINE, schedule: "@daily" },
    changes: ["change"],
    stands: lists("# mop: a\\n@daily /bin/x\\n\\n@daily /b\\n"),
  },
  {
    claim: "a job whose name begins like another's is one of its own",
    prepare: crontab("# mop: ab\\n@daily /b\\n"),
    name: "a",
    options: { ...MINE, schedule: "@daily" },
    changes: ["create"],
    stands: lists("# mop: ab\\n@daily /b\\n# mop: a\\n@daily /bin/x\\n"),
  },
  {
    claim: "percent signs, quotes and redirections reach cron as they are",
    prepare: crontab(""),
    name: "a b",
    options: {
      user: "shop",
      schedule: "*/5 0-6 1,15 jan *",
      command: "date \"+\\%F\" >/dev/null 2>&1; echo 'x'",
    },
    changes: ["create"],
    stands:
      "crontab -u shop -l | grep -qxF '*/5 0-6 1,15 jan * date \"+\\%F\" >/dev/null 2>&1; echo '\"'x'\"",
  },
  {
    claim: "a job goes, and others stay",
    prepare: crontab("A=1\\n# mop: a\\n@daily /a\\n# mop: b\\n@daily /b\\n"),
    name: "a",
    options: { user: "shop", absent: true },
    changes: ["remove"],
    stands: lists("A=1\\n# mop: b\\n@daily /b\\n"),
  },
  {
    claim: "the last job goes",
    prepare: crontab("# mop: a\\n@daily /a\\n"),
    name: "a",
    options: { user: "shop", absent: true },
    changes: ["remove"],
    stands: lists(""),
  },
  {
    claim: "a job that is not there is absent",
    prepare: crontab("@daily /a\\n"),
    name: "a",
    options: { user: "shop", absent: true },
    changes: [],
  },
  {
    claim: "no crontab is made for no job",
    prepare: "crontab -u shop -r 2>/dev/null || true",
    name: "a",
    options: { user: "shop", absent: true },
    changes: [],
    stands: "! crontab -u shop -l",
  },
  {
    claim: "root's own crontab",
    prepare: "crontab -r 2>/dev/null || true",
    name: "a",
    options: { schedule: "@reboot", command: "/bin/x" },
    changes: ["create"],
    stands: "crontab -l | grep -qx '@reboot /bin/x'",
  },
  {
    claim: "a file of jobs is made, with root as their user",
    prepare: `rm -f ${D}`,
    name: "a",
    options: { schedule: "@daily", command: "/bin/x", file: D },
    changes: ["create"],
    stands: `${inFile("# mop: a\\n@daily root /bin/x\\n")}; test $(stat -c %a ${D}) = 644`,
  },
  {
    claim: "a second job in a file, of another user",
    prepare: `printf '# mop: a\\n@daily root /bin/x\\n' >${D}; chmod 600 ${D}`,
    name: "b",
    options: { schedule: "@daily", command: "/b", file: D, user: "shop" },
    changes: ["create"],
    stands: `${inFile("# mop: a\\n@daily root /bin/x\\n# mop: b\\n@daily shop /b\\n")}; test $(stat -c %a ${D}) = 600`,
  },
  {
    claim: "a job of a file gets another user",
    prepare: `printf '# mop: a\\n@daily root /bin/x\\n' >${D}`,
    name: "a",
    options: { ...MINE, schedule: "@daily", file: D },
    changes: ["change"],
    stands: inFile("# mop: a\\n@daily shop /bin/x\\n"),
  },
  {
    claim: "a job of a file that is right",
    prepare: `printf 'A=1\\n# mop: a\\n@daily shop /bin/x\\n' >${D}`,
    name: "a",
    options: { ...MINE, schedule: "@daily", file: D },
    changes: [],
  },
  {
    claim: "the last job of a file takes the file along",
    prepare: `printf '# mop: a\\n@daily root /bin/x\\n' >${D}`,
    name: "a",
    options: { absent: true, file: D },
    changes: ["remove"],
    stands: `test ! -e ${D}`,
  },
  {
    claim: "a job of a file goes, and a variable stays",
    prepare: `printf 'A=1\\n# mop: a\\n@daily root /bin/x\\n' >${D}`,
    name: "a",
    options: { absent: true, file: D },
    changes: ["remove"],
    stands: inFile("A=1\\n"),
  },
  {
    claim: "cron passes over a file with a dot",
    name: "a",
    options: { ...MINE, schedule: "@daily", file: "/etc/cron.d/a.b" },
    error: "cron passes over",
  },
  {
    claim: "a user that does not exist",
    name: "a",
    options: { user: "nosuch", schedule: "@daily", command: "x" },
    error: "the crontab of nosuch can't be read",
  },
  {
    claim: "a minute that cron has not",
    name: "a",
    options: { ...MINE, minute: 60 },
    error: '"60" is no minute of cron',
  },
];

const F = "/etc/sysctl.d/99-mop.conf";
const S = "net.ipv4.ip_default_ttl";
const live = (value: number | string, name = S) => `sysctl -q -w ${name}="${value}"`;
const file = (lines: string, at = F) => (lines === "" ? `rm -f ${at}` : `printf '${lines}' >${at}`);
const both = (value: string, lines: string, name = S) =>
  `test "$(sysctl -n ${name} | tr '\\t' ' ')" = "${value}"; ${lines === "" ? `test ! -e ${F}` : `printf '${lines}' | cmp - ${F}`}`;

const SYSCTL: readonly Draft[] = [
  {
    claim: "neither the kernel nor the file has it",
    prepare: `${live(64)}; ${file("")}`,
    name: S,
    options: { value: 65 },
    changes: ["file", "live"],
    stands: both("65", `${S} = 65\\n`),
  },
  {
    claim: "the kernel has it, the file has not",
    prepare: `${live(65)}; ${file("")}`,
    name: S,
    options: { value: 65 },
    changes: ["file"],
    stands: both("65", `${S} = 65\\n`),
  },
  {
    claim: "the file has it, the kernel has not",
    prepare: `${live(64)}; ${file(`${S} = 65\\n`)}`,
    name: S,
    options: { value: 65 },
    changes: ["live"],
    stands: both("65", `${S} = 65\\n`),
  },
  {
    claim: "both have it",
    prepare: `${live(65)}; ${file(`${S} = 65\\n`)}`,
    name: S,
    options: { value: "65" },
    changes: [],
  },
  {
    claim: "the file has it in other words",
    prepare: `${live(65)}; ${file("# ttl\\nnet/ipv4/ip_default_ttl=65\\n")}`,
    name: S,
    options: { value: 65 },
    changes: [],
  },
  {
    claim: "another value in the file is replaced in its place",
    prepare: `${live(65)}; ${file(`# ttl\\n${S}=1\\nkernel.x = 1\\n`)}`,
    name: S,
    options: { value: 65 },
    changes: ["file"],
    stands: both("65", `# ttl\\n${S} = 65\\nkernel.x = 1\\n`),
  },
  {
    claim: "a second setting of the same goes",
    prepare: `${live(65)}; ${file(`${S}=65\\n${S}=66\\n`)}`,
    name: S,
    options: { value: 65 },
    changes: ["file"],
    stands: both("65", `${S}=65\\n`),
  },
  {
    claim: "a comment that looks like it is none",
    prepare: `${live(65)}; ${file(`#${S}=65\\n`)}`,
    name: S,
    options: { value: 65 },
    changes: ["file"],
    stands: both("65", `#${S}=65\\n${S} = 65\\n`),
  },
  {
    claim: "for the next start only",
    prepare: `${live(64)}; ${file("")}`,
    name: S,
    options: { value: 65, live: false },
    changes: ["file"],
    stands: both("64", `${S} = 65\\n`),
  },
  {
    claim: "for the next start only, and it stands there",
    prepare: `${live(64)}; ${file(`${S} = 65\\n`)}`,
    name: S,
    options: { value: 65, live: false },
    changes: [],
  },
  {
    claim: "a setting that the kernel does not have yet, for the next start",
    prepare: file(""),
    name: "net.nosuch.x",
    options: { value: 1, live: false },
    changes: ["file"],
    stands: `grep -qx 'net.nosuch.x = 1' ${F}`,
  },
  {
    claim: "it goes from the file, and the kernel keeps it",
    prepare: `${live(65)}; ${file(`a = 1\\n${S} = 65\\n`)}`,
    name: S,
    options: { absent: true },
    changes: ["file"],
    stands: both("65", "a = 1\\n"),
  },
  {
    claim: "the last setting takes the file along",
    prepare: `${live(65)}; ${file(`${S} = 65\\n`)}`,
    name: S,
    options: { absent: true },
    changes: ["file"],
    stands: both("65", ""),
  },
  {
    claim: "what the file does not have is absent",
    prepare: file("a = 1\\n"),
    name: S,
    options: { absent: true },
    changes: [],
  },
  {
    claim: "several values, whatever divides them",
    prepare: `${live("1024 60999", "net.ipv4.ip_local_port_range")}; ${file("")}`,
    name: "net.ipv4.ip_local_port_range",
    options: { value: "20000\t40000" },
    changes: ["file", "live"],
    stands: both(
      "20000 40000",
      "net.ipv4.ip_local_port_range = 20000 40000\\n",
      "net.ipv4.ip_local_port_range",
    ),
  },
  {
    claim: "several values that are right",
    prepare: `${live("20000 40000", "net.ipv4.ip_local_port_range")}; ${file("net.ipv4.ip_local_port_range=20000   40000\\n")}`,
    name: "net.ipv4.ip_local_port_range",
    options: { value: "20000 40000" },
    changes: [],
  },
  {
    claim: "a name with slashes, and another file",
    prepare: `${live(1, "net.ipv4.conf.lo.log_martians")}; rm -f /etc/sysctl.d/10-lo.conf`,
    name: "net/ipv4/conf/lo/log_martians",
    options: { value: 0, file: "/etc/sysctl.d/10-lo.conf" },
    changes: ["file", "live"],
    stands:
      "test $(cat /proc/sys/net/ipv4/conf/lo/log_martians) = 0; grep -q martians /etc/sysctl.d/10-lo.conf",
  },
  {
    claim: "a text",
    prepare: `${live("cubic", "net.ipv4.tcp_congestion_control")} || ${live("bbr", "net.ipv4.tcp_congestion_control")}; ${file("")}`,
    name: "net.ipv4.tcp_congestion_control",
    options: { value: "reno" },
    changes: ["file", "live"],
    stands: both("reno", "net.ipv4.tcp_congestion_control = reno\\n", "net.ipv4.tcp_congestion_control"),
  },
  {
    claim: "the folder of the file is made with it",
    prepare: `rm -rf /etc/none.d; ${live(65)}`,
    name: S,
    options: { value: 65, file: "/etc/none.d/a.conf" },
    changes: ["file"],
    stands: `test "$(cat /etc/none.d/a.conf)" = "${S} = 65"`,
  },
  {
    claim: "a setting that the kernel does not have",
    name: "net.nosuch",
    options: { value: 1 },
    error: "the kernel has no setting",
  },
  {
    claim: "a setting that can only be read",
    prepare: file(""),
    name: "kernel.osrelease",
    options: { value: "7" },
    error: "can only be read",
  },
  {
    claim: "a folder of settings is none",
    prepare: file(""),
    name: "net.ipv4",
    options: { value: 1 },
    error: "is no ordinary file",
  },
];

const hostIs = (kernel: string, stored: string | undefined) =>
  `sysctl -q -w kernel.hostname=${kernel}; ${stored === undefined ? "rm -f /etc/hostname" : `printf '${stored}' >/etc/hostname`}`;
const named = (text: string) =>
  `test "$(uname -n)" = ${text}; test "$(grep -v '^#' /etc/hostname | xargs)" = ${text}`;
const host = (claim: string, prepare: string, wanted: string, changes: readonly string[]): Draft => ({
  claim,
  prepare,
  name: wanted,
  changes,
  stands: named(wanted),
});
const HOSTNAME: readonly Draft[] = [
  host("another name", hostIs("old", "old\\n"), "web1", ["file", "live"]),
  host("the kernel has it, the file another", hostIs("web1", "old\\n"), "web1", ["file"]),
  host("the file has it, the kernel another", hostIs("old", "web1\\n"), "web1", ["live"]),
  host("both have it", hostIs("web1", "web1\\n"), "web1", []),
  host("the file is missing", hostIs("web1", undefined), "web1", ["file"]),
  host("the file is missing, and the kernel has another", hostIs("old", undefined), "web1", ["file", "live"]),
  host("the file is empty", hostIs("web1", ""), "web1", ["file"]),
  host("the file has a comment in front", hostIs("web1", "# ours\\n\\nweb1\\n"), "web1", []),
  host("the file lacks its line's end", hostIs("web1", "web1"), "web1", []),
  host("the file has spaces around", hostIs("web1", "  web1 \\n"), "web1", []),
  host("a name with a domain", hostIs("web1", "web1\\n"), "web1.example.com", ["file", "live"]),
  host("the name without its domain", hostIs("web1.example.com", "web1.example.com\\n"), "web1", [
    "file",
    "live",
  ]),
  host("a name that begins the same", hostIs("web", "web\\n"), "web1", ["file", "live"]),
  host("small and large letters differ", hostIs("web1", "web1\\n"), "Web1", ["file", "live"]),
  host("digits only", hostIs("web1", "web1\\n"), "42", ["file", "live"]),
  host("a letter", hostIs("web1", "web1\\n"), "a", ["file", "live"]),
  host("63 letters", hostIs("web1", "web1\\n"), "a".repeat(63), ["file", "live"]),
  host("with dashes", hostIs("web1", "web1\\n"), "a--b-1", ["file", "live"]),
  {
    claim: "the file is a link, which stays",
    prepare: `${hostIs("old", undefined)}; echo old >/etc/hostname.real; ln -s hostname.real /etc/hostname`,
    name: "web1",
    changes: ["file", "live"],
    stands: `test -L /etc/hostname; ${named("web1")}`,
  },
  {
    claim: "the file keeps its attributes",
    prepare: `rm -f /etc/hostname; ${hostIs("web1", "old\\n")}; chmod 600 /etc/hostname`,
    name: "web1",
    changes: ["file"],
    stands: `test $(stat -c %a /etc/hostname) = 600; ${named("web1")}`,
  },
  {
    claim: "the file is a folder",
    prepare: "rm -f /etc/hostname; mkdir /etc/hostname",
    name: "web2",
    error: "/etc/hostname is no ordinary file",
  },
  {
    claim: "a name with a line below",
    prepare: "rmdir /etc/hostname; echo web1 >/etc/hostname",
    name: "a_b",
    error: "is no host name",
  },
  { claim: "65 characters", name: `${"a".repeat(60)}.bcde`, error: "64 characters at most" },
];

const fstab = (lines: string) => `printf '${lines}' >/etc/fstab; umount -q /mnt/s || true; mkdir -p /mnt/s`;
const table = (lines: string) => `printf '${lines}' | cmp - /etc/fstab`;
const is = (options: string) => `findmnt -no OPTIONS /mnt/s | grep -qE '${options}'`;
const gone = "! findmnt /mnt/s";
const OURS = "# ours\\nproc /proc proc defaults 0 0\\n";
const TMP = "tmpfs /mnt/s tmpfs size=1m 0 0\\n";
const tmpfs = (options = "size=1m") => ({ device: "tmpfs", type: "tmpfs", options });
const at = (draft: Omit<Draft, "name">): Draft => ({ name: "/mnt/s", ...draft });
const MOUNT: readonly Draft[] = [
  at({
    claim: "neither mounted nor in fstab",
    prepare: fstab(OURS),
    options: tmpfs(),
    changes: ["fstab", "mount"],
    stands: `${table(OURS + TMP)}; ${is("size=1024k")}`,
  }),
  at({
    claim: "in fstab, not mounted",
    prepare: fstab(OURS + TMP),
    options: tmpfs(),
    changes: ["mount"],
    stands: is("size=1024k"),
  }),
  at({
    claim: "mounted, not in fstab",
    prepare: `${fstab(OURS)}; mount -t tmpfs -o size=1m tmpfs /mnt/s`,
    options: tmpfs(),
    changes: ["fstab"],
    stands: table(OURS + TMP),
  }),
  at({ claim: "both", prepare: `${fstab(TMP)}; mount /mnt/s`, options: tmpfs(), changes: [] }),
  at({
    claim: "both, in fstab with other spaces",
    prepare: `${fstab("tmpfs\\t/mnt/s/  tmpfs size=1m\\n")}; mount /mnt/s`,
    options: tmpfs(),
    changes: [],
  }),
  at({
    claim: "other options are set without unmounting",
    prepare: `${fstab(TMP)}; mount /mnt/s; touch /mnt/s/kept`,
    options: tmpfs("size=2m"),
    changes: ["fstab", "remount"],
    stands: `${is("size=2048k")}; test -e /mnt/s/kept`,
  }),
  at({
    claim: "it becomes one that can only be read",
    prepare: `${fstab(TMP)}; mount /mnt/s`,
    options: tmpfs("size=1m,ro"),
    changes: ["fstab", "remount"],
    stands: is("^ro"),
  }),
  at({
    claim: "other options, not mounted",
    prepare: fstab(TMP),
    options: tmpfs("size=3m"),
    changes: ["fstab", "mount"],
    stands: is("size=3072k"),
  }),
  at({
    claim: "another device takes its place",
    prepare: `${fstab(TMP)}; mount /mnt/s; mkdir -p /srv/bound`,
    options: { device: "/srv/bound", type: "none", options: "bind" },
    changes: ["unmount", "fstab", "mount"],
    stands: "touch /srv/bound/x; test -e /mnt/s/x",
  }),
  at({
    claim: "another bound folder takes its place",
    prepare: `${fstab("/srv/bound /mnt/s none bind 0 0\\n")}; mkdir -p /srv/bound /srv/other; mount --bind /srv/other /mnt/s`,
    options: { device: "/srv/bound", type: "none", options: "bind" },
    changes: ["unmount", "mount"],
    stands: "touch /srv/bound/y; test -e /mnt/s/y",
  }),
  at({
    claim: "a bound folder of a disk that is right",
    prepare: `${fstab("/mop/dist /mnt/s none bind,ro 0 0\\n")}; mount /mnt/s`,
    options: { device: "/mop/dist", type: "none", options: "bind,ro" },
    changes: [],
  }),
  at({
    claim: "a bound folder that is right",
    prepare: `${fstab("/srv/bound /mnt/s none bind 0 0\\n")}; mkdir -p /srv/bound; mount /mnt/s`,
    options: { device: "/srv/bound", type: "none", options: "bind" },
    changes: [],
  }),
  at({
    claim: "other numbers at the end of its line",
    prepare: `${fstab(TMP)}; mount /mnt/s`,
    options: { ...tmpfs(), dump: 1, pass: 2 },
    changes: ["fstab"],
    stands: table("tmpfs /mnt/s tmpfs size=1m 1 2\\n"),
  }),
  at({
    claim: "two lines for one folder become one",
    prepare: `${fstab(`${TMP}${OURS}${TMP}`)}; mount /mnt/s`,
    options: tmpfs(),
    changes: ["fstab"],
    stands: table(TMP + OURS),
  }),
  at({
    claim: "in fstab only",
    prepare: fstab(OURS),
    options: { ...tmpfs(), state: "present" },
    changes: ["fstab"],
    stands: `${table(OURS + TMP)}; ${gone}`,
  }),
  at({
    claim: "in fstab only, and it is",
    prepare: fstab(TMP),
    options: { ...tmpfs(), state: "present" },
    changes: [],
  }),
  at({
    claim: "in fstab only, with other options, while it is mounted",
    prepare: `${fstab(TMP)}; mount /mnt/s`,
    options: { ...tmpfs("size=2m"), state: "present" },
    changes: ["fstab"],
    stands: is("size=1024k"),
  }),
  at({
    claim: "unmounted, and its line stays",
    prepare: `${fstab(TMP)}; mount /mnt/s`,
    options: { state: "unmounted" },
    changes: ["unmount"],
    stands: `${table(TMP)}; ${gone}`,
  }),
  at({ claim: "unmounted already", prepare: fstab(TMP), options: { state: "unmounted" }, changes: [] }),
  at({
    claim: "absent, where it is mounted and in fstab",
    prepare: `${fstab(OURS + TMP)}; mount /mnt/s`,
    options: { state: "absent" },
    changes: ["unmount", "fstab"],
    stands: `${table(OURS)}; ${gone}`,
  }),
  at({
    claim: "absent, where it is in fstab",
    prepare: fstab(TMP + OURS),
    options: { state: "absent" },
    changes: ["fstab"],
    stands: table(OURS),
  }),
  at({
    claim: "absent, where it is mounted",
    prepare: `${fstab(OURS)}; mount -t tmpfs tmpfs /mnt/s`,
    options: { state: "absent" },
    changes: ["unmount"],
    stands: gone,
  }),
  at({ claim: "absent already", prepare: fstab(OURS), options: { state: "absent" }, changes: [] }),
  at({
    claim: "absent, where two lie over each other",
    prepare: `${fstab(OURS)}; mount -t tmpfs tmpfs /mnt/s; mount -t tmpfs tmpfs /mnt/s`,
    options: { state: "absent" },
    changes: ["unmount"],
    stands: gone,
  }),
  {
    claim: "a folder with a space in its name",
    prepare: `${fstab(OURS)}; mkdir -p '/mnt/s t'`,
    name: "/mnt/s t/",
    options: tmpfs(),
    changes: ["fstab", "mount"],
    stands: `${table(`${OURS}tmpfs /mnt/s\\\\040t tmpfs size=1m 0 0\\n`)}; umount '/mnt/s t'; mount '/mnt/s t'`,
  },
  {
    claim: "a folder behind a link",
    prepare: `umount -q '/mnt/s t' || true; ${fstab(OURS)}; rm -f /mnt/l; ln -s s /mnt/l`,
    name: "/mnt/l",
    options: tmpfs(),
    changes: ["fstab", "mount"],
    stands: is("size=1024k"),
  },
  {
    claim: "the folder is missing",
    prepare: fstab(OURS),
    name: "/mnt/none",
    options: tmpfs(),
    error: "make it with directory() before",
  },
  {
    claim: "a file is no folder",
    prepare: `${fstab(OURS)}; touch /mnt/f`,
    name: "/mnt/f",
    options: tmpfs(),
    error: "it is no folder",
  },
];

/**
 * A container may not load modules, and not every kernel has some: "{module}" is one that this kernel has built in, "none"
 * one that no kernel has. What is loaded and unloaded is tried in test/unit/leaf/types/system/kernel.test.ts.
 */
const [L, P] = ["/etc/modules-load.d", "/etc/modprobe.d"];
const modules = (...lines: string[]) =>
  [`rm -rf ${L}/{module}.conf ${P}/{module}.conf ${L}/none.conf ${P}/none.conf`, ...lines].join("; ");
const LOADED = `printf '{module}\\n' >${L}/{module}.conf`;
const SET = `printf 'options {module} a=1\\n' >${P}/{module}.conf`;
const NONE = `printf 'none\\n' >${L}/none.conf; printf 'options none a=1\\n' >${P}/none.conf`;
const text = (path: string, lines: string) => `printf '${lines}' | cmp - ${path}`;
const module = (draft: Omit<Draft, "name">): Draft => ({ name: "{module}", ...draft });
const none = (draft: Omit<Draft, "name">): Draft => ({ name: "none", ...draft });
const OFF = { loaded: false };
const MODULE: readonly Draft[] = [
  module({
    claim: "it is not loaded at start yet",
    prepare: modules(),
    changes: ["persistent"],
    stands: `${text(`${L}/{module}.conf`, "{module}\\n")}; test ! -e ${P}/{module}.conf; test $(stat -c %a ${L}/{module}.conf) = 644`,
  }),
  module({ claim: "it is loaded at start", prepare: modules(LOADED), changes: [] }),
  module({
    claim: "it is loaded at start, which has a comment",
    prepare: modules(`printf '# ours\\n\\n {module} \\n; old\\n' >${L}/{module}.conf`),
    changes: [],
  }),
  module({
    claim: "its line is a comment",
    prepare: modules(`printf '# {module}\\n' >${L}/{module}.conf`),
    changes: ["persistent"],
    stands: text(`${L}/{module}.conf`, "{module}\\n"),
  }),
  module({
    claim: "another module stands in its file",
    prepare: modules(`printf 'other\\n' >${L}/{module}.conf`),
    changes: ["persistent"],
    stands: text(`${L}/{module}.conf`, "{module}\\n"),
  }),
  module({
    claim: "its file is empty",
    prepare: modules(`: >${L}/{module}.conf; chmod 600 ${L}/{module}.conf`),
    changes: ["persistent"],
    stands: `test $(stat -c %a ${L}/{module}.conf) = 600`,
  }),
  module({
    claim: "it shall not be loaded at start",
    prepare: modules(LOADED),
    options: { persistent: false },
    changes: ["persistent"],
    stands: `test ! -e ${L}/{module}.conf`,
  }),
  module({
    claim: "it is not loaded at start, and shall not be",
    prepare: modules(),
    options: { persistent: false },
    changes: [],
  }),
  module({
    claim: "it gets parameters",
    prepare: modules(LOADED),
    options: { parameters: "a=1 b=two" },
    changes: ["parameters"],
    stands: text(`${P}/{module}.conf`, "options {module} a=1 b=two\\n"),
  }),
  module({
    claim: "it has its parameters",
    prepare: modules(LOADED, SET),
    options: { parameters: " a=1 " },
    changes: [],
  }),
  module({
    claim: "it gets other parameters",
    prepare: modules(LOADED, SET),
    options: { parameters: "a=2" },
    changes: ["parameters"],
    stands: text(`${P}/{module}.conf`, "options {module} a=2\\n"),
  }),
  module({
    claim: "parameters that are not named stay",
    prepare: modules(LOADED, SET),
    changes: [],
    stands: `test -e ${P}/{module}.conf`,
  }),
  module({
    claim: "it gets both",
    prepare: modules(),
    options: { parameters: "a=1" },
    changes: ["persistent", "parameters"],
    stands: text(`${P}/{module}.conf`, "options {module} a=1\\n"),
  }),
  module({
    claim: "parameters alone",
    prepare: modules(),
    options: { persistent: false, parameters: "a=1" },
    changes: ["parameters"],
    stands: `test ! -e ${L}/{module}.conf`,
  }),
  none({
    claim: "one that is not loaded now is, at the next start",
    prepare: modules(),
    options: OFF,
    changes: ["persistent"],
    stands: text(`${L}/none.conf`, "none\\n"),
  }),
  none({
    claim: "with parameters for then",
    prepare: modules(),
    options: { ...OFF, parameters: "a=1" },
    changes: ["persistent", "parameters"],
  }),
  none({
    claim: "absent, where both files are there",
    prepare: modules(NONE),
    options: { absent: true },
    changes: ["persistent", "parameters"],
    stands: `test ! -e ${L}/none.conf; test ! -e ${P}/none.conf`,
  }),
  none({
    claim: "absent, where it has parameters only",
    prepare: modules(NONE, `rm ${L}/none.conf`),
    options: { absent: true },
    changes: ["parameters"],
    stands: `test ! -e ${P}/none.conf`,
  }),
  none({ claim: "absent already", prepare: modules(), options: { absent: true }, changes: [] }),
  none({
    claim: "neither now nor at start, but its parameters stay",
    prepare: modules(NONE),
    options: { ...OFF, persistent: false },
    changes: ["persistent"],
    stands: `test -e ${P}/none.conf`,
  }),
  none({ claim: "one that the kernel does not have", prepare: modules(NONE), error: 'has no module "none"' }),
  module({
    claim: "one that is built in can't be unloaded",
    prepare: modules(LOADED),
    options: { absent: true },
    error: "it is built into this kernel",
  }),
  module({
    claim: "one that is built in stays loaded",
    prepare: modules(LOADED),
    options: OFF,
    error: "it is built into this kernel",
  }),
  none({
    claim: "a folder stands in the place of its file",
    prepare: modules(`mkdir ${L}/none.conf`),
    options: OFF,
    error: `${L}/none.conf is no ordinary file`,
  }),
];

export const CRON_TABLE: StateTable = {
  prepare: "id shop >/dev/null 2>&1 || useradd -m shop",
  states: CRON.map((state) => ({ type: "cron", ...state })),
  untouched: ["/etc", "/var/spool/cron"],
};
export const SYSCTL_TABLE: StateTable = {
  states: SYSCTL.map((state) => ({ type: "sysctl", ...state })),
  untouched: ["/etc"],
  watch: `sysctl -n ${S} net.ipv4.ip_local_port_range net.ipv4.conf.lo.log_martians net.ipv4.tcp_congestion_control`,
};
export const HOSTNAME_TABLE: StateTable = {
  states: HOSTNAME.map((state) => ({ type: "hostname", ...state })),
  untouched: ["/etc"],
  watch: "uname -n",
};
export const MOUNT_TABLE: StateTable = {
  states: MOUNT.map((state) => ({ type: "mount", ...state })),
  untouched: ["/etc"],
  watch: "cat /proc/mounts",
};
export const MODULE_TABLE: StateTable = {
  states: MODULE.map((state) => ({ type: "kernelModule", ...state })),
  untouched: ["/etc"],
};
