import { type Draft, type StateTable, statesOf } from "../state.js";

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

export const HOSTNAME_TABLE: StateTable = {
  states: statesOf("hostname", HOSTNAME),
  untouched: ["/etc"],
  watch: "uname -n",
};
