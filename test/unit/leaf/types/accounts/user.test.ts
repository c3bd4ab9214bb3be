import { afterAll, beforeAll, vi } from "vitest";
import { user } from "../../../../../engine/leaf/types/user.js";
import { type SystemCase, testSystemCases } from "../system.js";
import { alpine, HASH, host, hostWith, OTHER_HASH } from "./hosts.js";

// What only root may do is planned by whoever runs the tests.
beforeAll(() => {
  vi.spyOn(process, "geteuid").mockReturnValue(0);
});
afterAll(() => {
  vi.restoreAllMocks();
});

const alice = (line: string) => hostWith("passwd", "alice", line);
const aliceSecret = (field: string, expires = "") =>
  hostWith("shadow", "alice", `alice:${field}:19000:0:99999:7::${expires}:`);
const carol = hostWith("passwd", "carol", "carol:x:1002:1002::/home/carol:/bin/sh");

const NEW: readonly SystemCase[] = [
  {
    claim: "a new account has a group and a home of its own",
    state: host(),
    name: "carol",
    actions: ["create"],
    diff: "user: none -> carol\n",
    ran: ["useradd -U -m carol"],
    after: carol,
  },
  {
    claim: "a new account has every attribute that is named",
    state: host(),
    name: "carol",
    options: {
      uid: 1500,
      group: "spare",
      groups: ["wheel", "ci"],
      home: "/srv/carol",
      shell: "/bin/zsh",
      comment: "Carol C.",
      expires: "2027-12-31",
      password: HASH,
    },
    actions: ["create"],
    diff: `user: none -> carol
uid: none -> 1500
group: none -> spare
groups: none -> ci,wheel
home: none -> /srv/carol
shell: none -> /bin/zsh
comment: none -> Carol C.
expires: none -> 2027-12-31
password: none -> (not shown)
`,
    ran: [
      "useradd -u 1500 -g spare -G ci,wheel -d /srv/carol -m -s /bin/zsh -c Carol C. -e 2027-12-31 carol",
      "chpasswd -e",
    ],
  },
  {
    claim: "a new system account has no home",
    state: host(),
    name: "carol",
    options: { system: true },
    actions: ["create"],
    ran: ["useradd -U -M -r carol"],
  },
  {
    claim: "a system account has a home where it is asked for",
    state: host(),
    name: "carol",
    options: { system: true, createHome: true },
    actions: ["create"],
    ran: ["useradd -U -m -r carol"],
  },
  {
    claim: "a group of the new user's name that is there is its primary one",
    state: hostWith("group", "carol", "carol:x:1800:"),
    name: "carol",
    actions: ["create"],
    ran: ["useradd -g carol -m carol"],
  },
  {
    claim: "a primary group may be named by its id",
    state: host(),
    name: "carol",
    options: { group: 1700 },
    actions: ["create"],
    ran: ["useradd -g spare -m carol"],
  },
  {
    claim: "a new account without a lock and a password is open for keys",
    state: host(),
    name: "carol",
    options: { locked: false },
    actions: ["create"],
    ran: ["useradd -U -m carol", "chpasswd -e"],
  },
  {
    claim: "a new account is locked as it is made",
    state: host(),
    name: "carol",
    options: { locked: true },
    actions: ["create"],
    ran: ["useradd -U -m carol"],
  },
  {
    claim: "keepPassword is for accounts that exist: a new one gets its password",
    state: host(),
    name: "carol",
    options: { password: HASH, keepPassword: true },
    actions: ["create"],
    ran: ["useradd -U -m carol", "chpasswd -e"],
  },
  {
    claim: "a uid that somebody has is refused",
    state: host(),
    name: "carol",
    options: { uid: 1001 },
    error: 'the uid 1001 belongs to the user "bob"',
  },
  {
    claim: "a group that does not exist is refused",
    state: host(),
    name: "carol",
    options: { groups: ["nothere"] },
    error: 'the group "nothere" does not exist on this host; make it with group() before',
  },
  {
    claim: "a user of a directory service is not doubled",
    state: { ...host(), programs: { "getent passwd carol": "carol:*:70000:70000::/home/carol:/bin/sh\n" } },
    name: "carol",
    error: "the user comes from a directory service",
  },
  {
    claim: "on Alpine busybox makes the group, the account and its memberships",
    state: alpine(host()),
    name: "carol",
    options: { uid: 1500, groups: ["wheel"], shell: "/bin/ash", comment: "Carol", system: true },
    actions: ["create"],
    ran: [
      "addgroup -S carol",
      "adduser -D -S -H -u 1500 -G carol -s /bin/ash -g Carol carol",
      "addgroup carol wheel",
    ],
  },
  {
    claim: "on Alpine a group that is there is used",
    state: alpine(host()),
    name: "carol",
    options: { group: "spare", home: "/srv/carol" },
    actions: ["create"],
    ran: ["adduser -D -G spare -h /srv/carol -g  carol"],
  },
  {
    claim: "a provider may be named",
    state: alpine(host()),
    name: "carol",
    options: { provider: "shadow-utils" },
    actions: ["create"],
    ran: ["useradd -U -m carol"],
  },
];

const EXISTING: readonly SystemCase[] = [
  { claim: "an account that is there is as it shall be", state: host(), name: "alice", actions: [] },
  {
    claim: "every attribute of an account may be as it shall be",
    state: host(),
    name: "alice",
    options: {
      uid: 1000,
      group: "alice",
      groups: ["ci", "wheel"],
      home: "/nowhere/alice",
      shell: "/bin/bash",
      comment: "Alice",
      password: HASH,
      locked: false,
      expires: "never",
      system: true,
    },
    actions: [],
  },
  {
    claim: "every attribute of an existing account is changed in one go",
    state: host(),
    name: "alice",
    options: {
      uid: 1500,
      group: "spare",
      groups: ["wheel"],
      home: "/srv/alice",
      shell: "/bin/zsh",
      comment: "Alice A.",
      expires: "2027-12-31",
      password: OTHER_HASH,
    },
    actions: ["uid", "group", "home", "groups", "shell", "comment", "expires", "password"],
    diff: `uid: 1000 -> 1500
group: alice -> spare
home: /nowhere/alice -> /srv/alice
groups: ci,wheel -> wheel
shell: /bin/bash -> /bin/zsh
comment: Alice -> Alice A.
expires: never -> 2027-12-31
password: (not shown) -> (not shown)
`,
    ran: [
      "usermod -u 1500 -g 1700 -G wheel -d /srv/alice -s /bin/zsh -c Alice A. -e 2027-12-31 alice",
      "chpasswd -e",
    ],
  },
  {
    claim: "the uid alone",
    state: host(),
    name: "alice",
    options: { uid: 1500 },
    actions: ["uid"],
    diff: "uid: 1000 -> 1500\n",
    ran: ["usermod -u 1500 alice"],
    after: alice("alice:x:1500:1000:Alice:/nowhere/alice:/bin/bash"),
  },
  {
    claim: "the primary group alone",
    state: host(),
    name: "alice",
    options: { group: "ci" },
    actions: ["group"],
    ran: ["usermod -g 1600 alice"],
    after: alice("alice:x:1000:1600:Alice:/nowhere/alice:/bin/bash"),
  },
  {
    claim: "the comment may be emptied",
    state: host(),
    name: "alice",
    options: { comment: "" },
    actions: ["comment"],
    ran: ["usermod -c  alice"],
    after: alice("alice:x:1000:1000::/nowhere/alice:/bin/bash"),
  },
  {
    claim: "a home moves with what is in it",
    state: host(),
    name: "alice",
    options: { home: "/srv/alice", moveHome: true },
    actions: ["home"],
    ran: ["usermod -d /srv/alice -m alice"],
    after: alice("alice:x:1000:1000:Alice:/srv/alice:/bin/bash"),
  },
  {
    claim: "groups are exactly those that are named",
    state: host(),
    name: "alice",
    options: { groups: ["spare"] },
    actions: ["groups"],
    diff: "groups: ci,wheel -> spare\n",
    ran: ["usermod -G spare alice"],
  },
  {
    claim: "no groups",
    state: host(),
    name: "alice",
    options: { groups: [] },
    actions: ["groups"],
    diff: "groups: ci,wheel -> none\n",
    ran: ["usermod -G  alice"],
  },
  {
    claim: "with append other groups stay",
    state: host(),
    name: "alice",
    options: { groups: ["spare", "ci"], append: true },
    actions: ["groups"],
    ran: ["usermod -G ci,spare,wheel alice"],
  },
  {
    claim: "with append a member is a member",
    state: host(),
    name: "alice",
    options: { groups: ["ci"], append: true },
    actions: [],
  },
  {
    claim: "the order of groups means nothing, nor does naming one twice",
    state: host(),
    name: "alice",
    options: { groups: ["wheel", "ci", "wheel"] },
    actions: [],
  },
  {
    claim: "a primary group that lists its user, as on Alpine, is no difference",
    state: hostWith("group", "alice", "alice:x:1000:alice"),
    name: "alice",
    options: { groups: ["ci", "wheel"] },
    actions: [],
  },
  {
    claim: "a primary group among the groups is no difference either",
    state: host(),
    name: "alice",
    options: { groups: ["alice", "ci", "wheel"] },
    actions: [],
  },
  {
    claim: "a lock keeps the password",
    state: host(),
    name: "alice",
    options: { locked: true },
    actions: ["locked"],
    diff: "locked: no -> yes\n",
    ran: ["chpasswd -e"],
    after: aliceSecret(`!${HASH}`),
  },
  {
    claim: "a lock is taken off",
    state: host(),
    name: "bob",
    options: { locked: false },
    actions: ["locked"],
    diff: "locked: yes -> no\n",
    ran: ["chpasswd -e"],
    after: hostWith("shadow", "bob", `bob:${HASH}:19000:0:99999:7::20818:`),
  },
  {
    claim: "an account without a password is unlocked without getting one",
    state: aliceSecret("!"),
    name: "alice",
    options: { locked: false },
    actions: ["locked"],
    ran: ["chpasswd -e"],
    after: aliceSecret("*"),
  },
  {
    claim: "a new password leaves a lock as it is",
    state: host(),
    name: "bob",
    options: { password: OTHER_HASH },
    actions: ["password"],
    ran: ["chpasswd -e"],
    after: hostWith("shadow", "bob", `bob:!${OTHER_HASH}:19000:0:99999:7::20818:`),
  },
  {
    claim: "the same password under a lock is the same password",
    state: host(),
    name: "bob",
    options: { password: HASH },
    actions: [],
  },
  {
    claim: "a password and a lock at once",
    state: host(),
    name: "alice",
    options: { password: OTHER_HASH, locked: true },
    actions: ["password", "locked"],
    ran: ["chpasswd -e"],
    after: aliceSecret(`!${OTHER_HASH}`),
  },
  {
    claim: "an account that had no password gets one and is open",
    state: aliceSecret("!!"),
    name: "alice",
    options: { password: HASH },
    actions: ["password"],
    ran: ["chpasswd -e"],
    after: aliceSecret(HASH),
  },
  {
    claim: "a password is taken away",
    state: host(),
    name: "alice",
    options: { password: "*" },
    actions: ["password"],
    ran: ["chpasswd -e"],
    after: aliceSecret("*"),
  },
  {
    claim: "an empty field, which lets everybody in, is no password that is none",
    state: aliceSecret(""),
    name: "alice",
    options: { password: "*" },
    actions: ["password"],
    ran: ["chpasswd -e"],
    after: aliceSecret("*"),
  },
  {
    claim: "keepPassword keeps what the user chose",
    state: host(),
    name: "alice",
    options: { password: OTHER_HASH, keepPassword: true },
    actions: [],
  },
  {
    claim: "a day of expiry is set",
    state: host(),
    name: "alice",
    options: { expires: "2027-01-01" },
    actions: ["expires"],
    diff: "expires: never -> 2027-01-01\n",
    ran: ["usermod -e 2027-01-01 alice"],
    after: aliceSecret(HASH, "20819"),
  },
  {
    claim: "a day of expiry that stands is the same day",
    state: host(),
    name: "bob",
    options: { expires: "2026-12-31" },
    actions: [],
  },
  {
    claim: "a day of expiry is taken away",
    state: host(),
    name: "bob",
    options: { expires: "never" },
    actions: ["expires"],
    diff: "expires: 2026-12-31 -> never\n",
    ran: ["usermod -e  bob"],
    after: hostWith("shadow", "bob", `bob:!${HASH}:19000:0:99999:7:::`),
  },
  {
    claim: "a home that is missing is made where it is asked for",
    state: host(),
    name: "alice",
    options: { createHome: true },
    actions: ["createHome"],
    diff: "createHome: none -> /nowhere/alice\n",
  },
  {
    claim: "a home that is there is not made",
    state: alice("alice:x:1000:1000:Alice:/tmp:/bin/bash"),
    name: "alice",
    options: { createHome: true },
    actions: [],
  },
  {
    claim: "a home does not move to where something stands",
    state: alice("alice:x:1000:1000:Alice:/usr:/bin/bash"),
    name: "alice",
    options: { home: "/tmp", moveHome: true },
    error: "its home can't be moved to /tmp, where something stands already",
  },
  {
    claim: "a uid that somebody else has is refused for an existing account too",
    state: host(),
    name: "alice",
    options: { uid: 1001 },
    error: 'the uid 1001 belongs to the user "bob"',
  },
  {
    claim: "root keeps its id",
    state: host(),
    name: "root",
    options: { uid: 5000 },
    error: "an account with the id 0 keeps it",
  },
  {
    claim: "without /etc/shadow there is no password to set",
    state: host({ shadow: null }),
    name: "alice",
    options: { password: HASH },
    error: "there is no /etc/shadow on this host",
  },
  {
    claim: "without /etc/shadow everything else works",
    state: host({ shadow: null }),
    name: "alice",
    options: { shell: "/bin/sh" },
    actions: ["shell"],
    ran: ["usermod -s /bin/sh alice"],
  },
  {
    claim: "on Alpine an existing account's line is planned to change",
    state: alpine(host()),
    name: "alice",
    options: { uid: 1500, shell: "/bin/ash", expires: "2027-01-01", groups: ["ci", "spare"] },
    actions: ["uid", "groups", "shell", "expires"],
  },
];

const GONE: readonly SystemCase[] = [
  {
    claim: "no account is removed twice",
    state: host(),
    name: "carol",
    options: { absent: true },
    actions: [],
  },
  {
    claim: "an account is removed, its home stays",
    state: host(),
    name: "alice",
    options: { absent: true },
    actions: ["remove"],
    diff: "user: alice -> none\n",
    ran: ["userdel alice"],
    after: host({ passwd: "root:x:0:0:root:/root:/bin/bash\n" }),
  },
  {
    claim: "an account is removed with its home",
    state: host(),
    name: "alice",
    options: { absent: true, removeHome: true },
    actions: ["remove"],
    diff: "user: alice -> none\nhome: /nowhere/alice -> none\n",
    ran: ["userdel -r alice"],
  },
  {
    claim: "on Alpine deluser removes",
    state: alpine(host()),
    name: "alice",
    options: { absent: true, removeHome: true },
    actions: ["remove"],
    ran: ["deluser --remove-home alice"],
  },
  {
    claim: "root is not removed",
    state: host(),
    name: "root",
    options: { absent: true },
    error: "an account with the id 0 is not removed",
  },
  {
    claim: "a home that is a system folder is not removed",
    state: alice("alice:x:1000:1000:Alice:/srv:/bin/bash"),
    name: "alice",
    options: { absent: true, removeHome: true },
    error: 'its home is /srv, which is not removed; leave "removeHome" out',
  },
  {
    claim: "a home that holds another user's is not removed",
    state: alice("alice:x:1000:1000:Alice:/nowhere/./bob/..//bob:/bin/bash"),
    name: "alice",
    options: { absent: true, removeHome: true },
    error: "holds the home of bob too",
  },
  {
    claim: "a home that belongs to somebody else is not removed",
    state: alice("alice:x:54321:1000:Alice:/usr/bin:/bin/bash"),
    name: "alice",
    options: { absent: true, removeHome: true },
    error: "its home /usr/bin belongs to another user",
  },
];

const WRONG: readonly (readonly [Record<string, unknown>, string])[] = [
  [{ absent: true, shell: "/bin/sh" }, 'it can\'t have both "absent" and "shell"'],
  [{ removeHome: true }, '"removeHome" goes with "absent" only'],
  [{ append: true }, '"append" needs "groups"'],
  [{ moveHome: true }, '"moveHome" needs "home"'],
  [{ home: "srv/alice" }, 'the option "home" must be an absolute path without a colon'],
  [{ shell: "bash" }, 'the option "shell" must be an absolute path'],
  [{ comment: "a:b" }, 'the option "comment" must be a text of one line without a colon'],
  [{ comment: "a\nroot::0:0" }, 'the option "comment" must be'],
  [{ expires: "2027-02-30" }, 'the option "expires" must be a day such as "2027-12-31", or "never"'],
  [{ expires: "soon" }, 'the option "expires" must be'],
  [{ uid: -1 }, 'the option "uid" must be'],
  [{ groups: "wheel" }, 'the option "groups" must be a list of strings'],
  [{ groups: ["a,b"] }, "can't be a group's name"],
  [{ grops: [] }, 'it has no option "grops"'],
  [{ provider: "ldap" }, 'it has no provider "ldap"; its providers are busybox, shadow-utils'],
];

testSystemCases(user, NEW);
testSystemCases(user, EXISTING);
testSystemCases(user, GONE);
testSystemCases(
  user,
  WRONG.map(([options, error]) => ({
    claim: `${JSON.stringify(options)} is refused`,
    state: host(),
    name: "alice",
    options,
    error,
  })),
);
testSystemCases(
  user,
  ["-r", "a b", "a:b", "12", "../x", "x".repeat(33)].map((name) => ({
    claim: `the name ${name} is refused`,
    state: host(),
    name,
    error: "can't be a user's name",
  })),
);
