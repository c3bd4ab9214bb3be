import { afterAll, beforeAll, vi } from "vitest";
import { group } from "../../../../../engine/leaf/types/group.js";
import { type SystemCase, testSystemCases } from "../system.js";
import { alpine, host, hostWith } from "./hosts.js";

beforeAll(() => {
  vi.spyOn(process, "geteuid").mockReturnValue(0);
});
afterAll(() => {
  vi.restoreAllMocks();
});

const CASES: readonly SystemCase[] = [
  {
    claim: "a new group",
    state: host(),
    name: "ops",
    actions: ["create"],
    diff: "group: none -> ops\n",
    ran: ["groupadd ops"],
    after: hostWith("group", "ops", "ops:x:1800:"),
  },
  {
    claim: "a new group with its id and members",
    state: host(),
    name: "ops",
    options: { gid: 1800, system: true, members: ["bob", "alice"] },
    actions: ["create"],
    diff: "group: none -> ops\ngid: none -> 1800\nmembers: none -> alice,bob\n",
    ran: ["groupadd -g 1800 -r ops", "gpasswd -M alice,bob ops"],
    after: hostWith("group", "ops", "ops:x:1800:bob,alice"),
  },
  { claim: "a group that is there", state: host(), name: "ci", actions: [] },
  {
    claim: "a group with the id and members that it shall have",
    state: host(),
    name: "ci",
    options: { gid: 1600, members: ["bob", "alice"], system: true },
    actions: [],
  },
  {
    claim: "an existing group gets another id",
    state: host(),
    name: "ci",
    options: { gid: 1900 },
    actions: ["gid"],
    diff: "gid: 1600 -> 1900\n",
    ran: ["groupmod -g 1900 ci"],
    after: hostWith("group", "ci", "ci:x:1900:alice,bob"),
  },
  {
    claim: "members are exactly those that are named",
    state: host(),
    name: "ci",
    options: { members: ["bob"] },
    actions: ["members"],
    diff: "members: alice,bob -> bob\n",
    ran: ["gpasswd -M bob ci"],
    after: hostWith("group", "ci", "ci:x:1600:bob"),
  },
  {
    claim: "no members",
    state: host(),
    name: "ci",
    options: { members: [] },
    actions: ["members"],
    diff: "members: alice,bob -> none\n",
    ran: ["gpasswd -M  ci"],
    after: hostWith("group", "ci", "ci:x:1600:"),
  },
  {
    claim: "with append other members stay",
    state: host(),
    name: "wheel",
    options: { members: ["bob"], append: true },
    actions: ["members"],
    ran: ["gpasswd -M alice,bob wheel"],
  },
  {
    claim: "id and members at once",
    state: host(),
    name: "spare",
    options: { gid: 1701, members: ["bob"] },
    actions: ["gid", "members"],
    ran: ["groupmod -g 1701 spare", "gpasswd -M bob spare"],
  },
  {
    claim: "a group is removed",
    state: host(),
    name: "ci",
    options: { absent: true },
    actions: ["remove"],
    diff: "group: ci -> none\n",
    ran: ["groupdel ci"],
    after: host({ group: "root:x:0:\n" }),
  },
  { claim: "no group is removed twice", state: host(), name: "ops", options: { absent: true }, actions: [] },
  {
    claim: "a user's primary group is not removed",
    state: host(),
    name: "alice",
    options: { absent: true },
    error: 'it is the primary group of the user "alice"',
  },
  {
    claim: "the group of root is not removed",
    state: host(),
    name: "root",
    options: { absent: true },
    error: "the group with the id 0 is not removed",
  },
  {
    claim: "an id that another group has is refused",
    state: host(),
    name: "ops",
    options: { gid: 10 },
    error: 'the gid 10 belongs to the group "wheel"',
  },
  {
    claim: "a member that does not exist is refused",
    state: host(),
    name: "ci",
    options: { members: ["zoe"] },
    error: 'the user "zoe" does not exist on this host; make it with user() before',
  },
  {
    claim: "a group of a directory service is not doubled",
    state: { ...host(), programs: { "getent group ops": "ops:*:70000:\n" } },
    name: "ops",
    error: "the group comes from a directory service",
  },
  {
    claim: "absent and members contradict each other",
    state: host(),
    name: "ci",
    options: { absent: true, members: [] },
    error: 'it can\'t have both "absent" and "members"',
  },
  {
    claim: "append without members is refused",
    state: host(),
    name: "ci",
    options: { append: true },
    error: '"append" needs "members"',
  },
  { claim: "a name with a colon is refused", state: host(), name: "a:b", error: "can't be a group's name" },
  {
    claim: "on Alpine busybox makes it",
    state: alpine(host()),
    name: "ops",
    options: { gid: 800, system: true },
    actions: ["create"],
    ran: ["addgroup -S -g 800 ops"],
  },
  {
    claim: "on Alpine busybox removes it",
    state: alpine(host()),
    name: "ci",
    options: { absent: true },
    actions: ["remove"],
    ran: ["delgroup ci"],
  },
  {
    claim: "on Alpine its line is planned to change",
    state: alpine(host()),
    name: "ci",
    options: { gid: 1900, members: ["bob"] },
    actions: ["gid", "members"],
  },
  {
    claim: "no provider for macOS, and the error names those that there are",
    state: { ...host(), facts: { platform: "darwin" } },
    name: "ops",
    error: "none of its providers suits this host",
  },
];

testSystemCases(group, CASES);
