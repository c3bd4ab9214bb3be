import { type Draft, type StateTable, statesOf } from "../state.js";

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

export const SYSCTL_TABLE: StateTable = {
  states: statesOf("sysctl", SYSCTL),
  untouched: ["/etc"],
  watch: `sysctl -n ${S} net.ipv4.ip_local_port_range net.ipv4.conf.lo.log_martians net.ipv4.tcp_congestion_control`,
};
