import {
  debRepository,
  RPM_DATABASE,
  rpmRepository,
  SIGNING_KEY,
} from "../../containers/support/repositories.js";
import { type NamelessDraft, type State, type StateTable, statesOf } from "../state.js";

const SOURCE = "/etc/apt/sources.list.d/trial.sources";
const [ASC, GPG] = ["/etc/apt/keyrings/trial.asc", "/etc/apt/keyrings/trial.gpg"];
const fields = (...more: string[]) =>
  ["Types: deb", "URIs: file:///repo/deb", "Suites: trial", "Components: main", ...more].join("\\n");
const SIGNED = fields(`Signed-By: ${ASC}`);
const UNSIGNED = fields("Trusted: yes").replace("/repo/deb", "/repo/plain");
/** Exactly this stands there. */
const there = (source?: string, key?: string, form = ASC) =>
  [
    `rm -f ${SOURCE} ${ASC} ${GPG}`,
    "mkdir -p /etc/apt/keyrings",
    ...(source === undefined ? [] : [`printf '${source}\\n' >${SOURCE}`]),
    ...(key === undefined ? [] : [`${key} >${form}`]),
  ].join("\n");
const KEY = "cat /repo/key.asc";
const repo = { url: "file:///repo/deb", suites: ["trial"] };
const signed = { ...repo, keyUrl: "file:///repo/key.asc", keyChecksum: "{sum}" };
const unsigned = { ...repo, url: "file:///repo/plain", unsigned: true };
const source = (text: string) => `printf '${text}\\n' | cmp - ${SOURCE}`;
const key = (form = ASC) => `cmp /repo/key.${form === ASC ? "asc" : "gpg"} ${form}`;
const known = "apt-cache policy apple | grep -q 'Candidate: 1.0'";
const none = (path: string) => `test ! -e ${path}`;
const FRESH = "rm -rf /var/lib/apt/lists/*";

const APT: readonly NamelessDraft[] = [
  {
    claim: "nothing is there",
    prepare: `${there()}\n${FRESH}`,
    options: signed,
    changes: ["key", "source", "refresh"],
    stands: `${source(SIGNED)}; ${key()}; ${known}; test "$(stat -c %a ${SOURCE} ${ASC} | xargs)" = "644 644"`,
  },
  { claim: "all of it is there", prepare: there(SIGNED, KEY), options: signed, changes: [] },
  {
    claim: "its key is missing",
    prepare: there(SIGNED),
    options: signed,
    changes: ["key", "refresh"],
    stands: key(),
  },
  {
    claim: "only its key is there",
    prepare: `${there(undefined, KEY)}\n${FRESH}`,
    options: signed,
    changes: ["source", "refresh"],
    stands: `${source(SIGNED)}; ${known}`,
  },
  {
    claim: "another key is in the place of its own",
    prepare: there(SIGNED, "echo other"),
    options: signed,
    changes: ["key", "refresh"],
    stands: key(),
  },
  {
    claim: "it had another address",
    prepare: there(SIGNED.replace("/repo/deb", "/repo/old"), KEY),
    options: signed,
    changes: ["source", "refresh"],
    stands: source(SIGNED),
  },
  {
    claim: "it had another suite",
    prepare: there(SIGNED.replace("trial", "old"), KEY),
    options: signed,
    changes: ["source", "refresh"],
    stands: source(SIGNED),
  },
  {
    claim: "others can't read it",
    prepare: `${there(SIGNED, KEY)}\nchmod 600 ${SOURCE}`,
    options: signed,
    changes: ["source", "refresh"],
    stands: `test $(stat -c %a ${SOURCE}) = 644`,
  },
  {
    claim: "it is there, but not used yet",
    prepare: there(),
    options: { ...signed, enabled: false },
    changes: ["key", "source"],
    stands: source(`${SIGNED}\\nEnabled: no`),
  },
  {
    claim: "it is to be used from now on",
    prepare: there(`${SIGNED}\\nEnabled: no`, KEY),
    options: signed,
    changes: ["source", "refresh"],
    stands: source(SIGNED),
  },
  {
    claim: "it is not to be used any more",
    prepare: there(SIGNED, KEY),
    options: { ...signed, enabled: false },
    changes: ["source"],
  },
  {
    claim: "its key as text",
    prepare: there(),
    options: { ...repo, key: "{key}" },
    changes: ["key", "source", "refresh"],
    stands: key(),
  },
  {
    claim: "its key as text is there",
    prepare: there(SIGNED, KEY),
    options: { ...repo, key: "{key}" },
    changes: [],
  },
  {
    claim: "its key without armour",
    prepare: there(),
    options: { ...repo, keyUrl: "file:///repo/key.gpg", keyChecksum: "sha256:{bare}" },
    changes: ["key", "source", "refresh"],
    stands: `${key(GPG)}; ${source(SIGNED.replace("asc", "gpg"))}`,
  },
  {
    claim: "its key had armour",
    prepare: there(SIGNED, KEY),
    options: { ...repo, keyUrl: "file:///repo/key.gpg", keyChecksum: "{bare}" },
    changes: ["key", "source", "refresh"],
    stands: `${key(GPG)}; ${none(ASC)}`,
  },
  {
    claim: "a key that is there is not fetched",
    prepare: there(SIGNED, KEY),
    options: { ...signed, keyUrl: "file:///repo/gone.asc" },
    changes: [],
  },
  {
    claim: "without a signature",
    prepare: `${there()}\n${FRESH}`,
    options: unsigned,
    changes: ["source", "refresh"],
    stands: `${source(UNSIGNED)}; ${known}`,
  },
  { claim: "without a signature, and it is there", prepare: there(UNSIGNED), options: unsigned, changes: [] },
  {
    claim: "it gets a signature",
    prepare: there(UNSIGNED),
    options: signed,
    changes: ["key", "source", "refresh"],
    stands: `${source(SIGNED)}; ${key()}`,
  },
  {
    claim: "for one architecture",
    prepare: there(UNSIGNED),
    options: { ...unsigned, architectures: ["amd64"] },
    changes: ["source", "refresh"],
    stands: `grep -qx 'Architectures: amd64' ${SOURCE}`,
  },
  {
    claim: "a suite that is a path",
    prepare: there(),
    options: { url: "file:///repo/flat", suites: ["./"], unsigned: true },
    changes: ["source", "refresh"],
    stands: `! grep Components ${SOURCE}`,
  },
  {
    claim: "it goes with its key",
    prepare: there(SIGNED, KEY),
    options: { absent: true },
    changes: ["source", "key"],
    stands: `${none(SOURCE)}; ${none(ASC)}`,
  },
  {
    claim: "its key alone is left",
    prepare: there(undefined, KEY),
    options: { absent: true },
    changes: ["key"],
    stands: none(ASC),
  },
  {
    claim: "it goes, and has no key",
    prepare: there(UNSIGNED),
    options: { absent: true },
    changes: ["source"],
    stands: none(SOURCE),
  },
  {
    claim: "it goes with keys of both kinds",
    prepare: `${there(SIGNED, KEY)}\ncp /repo/key.gpg ${GPG}`,
    options: { absent: true },
    changes: ["source", "key"],
    stands: `${none(ASC)}; ${none(GPG)}`,
  },
  { claim: "it is not there", prepare: there(), options: { absent: true }, changes: [] },
  {
    claim: "its key has another checksum",
    prepare: there(),
    options: { ...signed, keyChecksum: "0".repeat(64) },
    error: "has the SHA-256",
  },
  {
    claim: "its key is no key",
    prepare: there(),
    options: { ...repo, key: "no key" },
    error: "its key is no OpenPGP key",
  },
  {
    claim: "its key can't be fetched",
    prepare: there(),
    options: { ...signed, keyUrl: "file:///repo/gone.asc" },
    error: "gone.asc",
  },
];

const REPO = "/etc/yum.repos.d/trial.repo";
const RPM_KEY = "/etc/pki/rpm-gpg/RPM-GPG-KEY-trial";
const ini = (...more: string[]) => ["[trial]", "name=trial", "baseurl=file:///repo/rpm", ...more].join("\\n");
const DNF_SIGNED = ini("enabled=1", "gpgcheck=1", `gpgkey=file://${RPM_KEY}`);
const DNF_UNSIGNED = ini("enabled=1", "gpgcheck=0");
const rpm = (text?: string, withKey = false) =>
  [
    `rm -f ${REPO} ${RPM_KEY}`,
    "mkdir -p /etc/pki/rpm-gpg /etc/yum.repos.d",
    ...(text === undefined ? [] : [`printf '${text}\\n' >${REPO}`]),
    ...(withKey ? [`cp /repo/key.asc ${RPM_KEY}`] : []),
  ].join("\n");
const dnfSigned = {
  provider: "dnf",
  url: "file:///repo/rpm",
  keyUrl: "file:///repo/key.asc",
  keyChecksum: "{sum}",
};
const dnfUnsigned = { provider: "dnf", url: "file:///repo/rpm", unsigned: true };
const DNF: readonly NamelessDraft[] = [
  {
    claim: "nothing is there",
    prepare: rpm(),
    options: dnfSigned,
    changes: ["key", "source", "refresh"],
    stands: `printf '${DNF_SIGNED}\\n' | cmp - ${REPO}; cmp /repo/key.asc ${RPM_KEY}`,
  },
  { claim: "all of it is there", prepare: rpm(DNF_SIGNED, true), options: dnfSigned, changes: [] },
  {
    claim: "it had another address",
    prepare: rpm(DNF_UNSIGNED.replace("/repo/rpm", "/repo/old")),
    options: dnfUnsigned,
    changes: ["source", "refresh"],
    stands: `printf '${DNF_UNSIGNED}\\n' | cmp - ${REPO}`,
  },
  {
    claim: "it is there, but not used yet",
    prepare: rpm(),
    options: { ...dnfSigned, enabled: false },
    changes: ["key", "source"],
    stands: `grep -qx enabled=0 ${REPO}`,
  },
  {
    claim: "it gets a title, but is not used",
    prepare: rpm(DNF_UNSIGNED),
    options: { ...dnfUnsigned, description: "The trial", enabled: false },
    changes: ["source"],
    stands: `grep -qx 'name=The trial' ${REPO}`,
  },
  {
    claim: "it goes with its key",
    prepare: rpm(DNF_SIGNED, true),
    options: { provider: "dnf", absent: true },
    changes: ["source", "key"],
    stands: `${none(REPO)}; ${none(RPM_KEY)}`,
  },
  { claim: "it is not there", prepare: rpm(), options: { provider: "dnf", absent: true }, changes: [] },
  {
    claim: "a key without armour",
    prepare: rpm(),
    options: { ...dnfSigned, keyUrl: "file:///repo/key.gpg", keyChecksum: "{bare}" },
    error: "must have its armour",
  },
];

const repositories = (manager: string, drafts: readonly NamelessDraft[]): State[] =>
  statesOf(
    "repository",
    drafts.map(({ claim, ...rest }) => ({ name: "trial", claim: `${manager}: ${claim}`, ...rest })),
  );
const WORDS = `node -p 'const { readFileSync } = require("fs");
  const sum = (file) => require("crypto").createHash("sha256").update(readFileSync(file)).digest("hex");
  JSON.stringify({ key: readFileSync("/repo/key.asc", "utf8"), sum: sum("/repo/key.asc"), bare: sum("/repo/key.gpg") })'`;

export const APT_REPOSITORIES: StateTable = {
  prepare: `test -e /repo/key.asc || { ${SIGNING_KEY}
}
rm -rf /repo/deb /etc/apt/sources.list /etc/apt/sources.list.d/*
${debRepository(["apple 1.0"])}
rm -rf /repo/plain; cp -r /repo/deb /repo/plain; rm /repo/plain/dists/trial/InRelease
mkdir -p /repo/flat && cp -r /repo/deb/pool /repo/flat && cp /repo/deb/dists/trial/main/binary-*/Packages /repo/flat`,
  words: WORDS,
  states: repositories("apt", APT),
  untouched: ["/etc", "/var/lib/apt/lists"],
};
export const DNF_REPOSITORIES: StateTable = {
  prepare: `test -e /repo/key.asc || { ${SIGNING_KEY}
}
mkdir -p /etc/dnf/vars; echo 9 >/etc/dnf/vars/releasever
${RPM_DATABASE}
test -e /repo/rpm/repodata || { ${rpmRepository(["apple 1.0"])}
}`,
  words: WORDS,
  states: repositories("dnf", DNF),
  untouched: ["/etc"],
};
