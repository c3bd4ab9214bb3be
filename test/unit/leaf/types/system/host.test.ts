import { hostname } from "../../../../../engine/leaf/types/system/hostname.js";
import { mount } from "../../../../../engine/leaf/types/system/mount.js";
import { type SystemCase, testSystemCases } from "../system.js";

const NAME = "/etc/hostname";
const LIVE = "/proc/sys/kernel/hostname";
const mac = { platform: "darwin" };

const HOSTNAME: readonly SystemCase[] = [
  {
    claim: "it is written for the next start, and set now",
    state: { files: { [NAME]: "old\n", [LIVE]: "old\n" } },
    name: "web1",
    actions: ["file", "live"],
    diff: `--- ${NAME}\n+++ ${NAME}\n@@ -1 +1 @@\n-old\n+web1\nlive: old -> web1\n`,
    after: { files: { [NAME]: "web1\n", [LIVE]: "web1\n" } },
  },
  {
    claim: "what is so needs nothing",
    state: { files: { [NAME]: "web1\n", [LIVE]: "web1\n" } },
    name: "web1",
    actions: [],
  },
  {
    claim: "comments in the file are no difference",
    state: { files: { [NAME]: "# ours\n\nweb1\n", [LIVE]: "web1\n" } },
    name: "web1",
    actions: [],
  },
  {
    claim: "only the kernel has another",
    state: { files: { [NAME]: "web1\n", [LIVE]: "dhcp7\n" } },
    name: "web1",
    actions: ["live"],
    diff: "live: dhcp7 -> web1\n",
  },
  {
    claim: "only the file has another",
    state: { files: { [NAME]: null, [LIVE]: "web1\n" } },
    name: "web1",
    actions: ["file"],
  },
  {
    claim: "a full name is a name",
    state: { files: { [NAME]: "web1.example.com\n", [LIVE]: "web1.example.com\n" } },
    name: "web1.example.com",
    actions: [],
  },
  { claim: "an underscore is refused", state: {}, name: "web_1", error: '"web_1" is no host name' },
  { claim: "a dash at the end is refused", state: {}, name: "web-", error: "is no host name" },
  {
    claim: "more than 64 characters are refused",
    state: {},
    name: `${"a".repeat(40)}.${"b".repeat(30)}`,
    error: "is no host name",
  },
  {
    claim: "macOS has two of them",
    state: {
      facts: mac,
      programs: { "scutil --get HostName": { rc: 1 }, "scutil --get LocalHostName": "mac\n" },
    },
    name: "build1.example.com",
    actions: ["HostName", "LocalHostName"],
    diff: "HostName: none -> build1.example.com\nLocalHostName: mac -> build1\n",
    ran: ["scutil --set HostName build1.example.com", "scutil --set LocalHostName build1"],
    after: {
      facts: mac,
      programs: { "scutil --get HostName": "build1.example.com\n", "scutil --get LocalHostName": "build1\n" },
    },
  },
];
testSystemCases(hostname, HOSTNAME);

const FSTAB = "/etc/fstab";
const MOUNTS = "cat /proc/mounts";
const OTHER = "UUID=1 / ext4 defaults 0 1\n";
const LINE = "/dev/sdb1 /srv/data ext4 noatime 0 2\n";
const ROOT = "/dev/sda1 / ext4 rw 0 0\n";
const DATA = `${ROOT}/dev/sdb1 /srv/data ext4 rw,noatime 0 0\n`;
const data = { device: "/dev/sdb1", type: "ext4", options: "noatime", pass: 2 };
const at = "/srv/data";
const is = (fstab: string, mounts: string) => ({
  files: { [FSTAB]: fstab, [`${at}/.keep`]: "" },
  programs: { [MOUNTS]: mounts },
});

const MOUNT: readonly SystemCase[] = [
  {
    claim: "it is put into fstab and mounted",
    state: is(OTHER, ROOT),
    name: at,
    options: data,
    actions: ["fstab", "mount"],
    diff: `--- ${FSTAB}\n+++ ${FSTAB}\n@@ -1 +1,2 @@\n UUID=1 / ext4 defaults 0 1\n+/dev/sdb1 /srv/data ext4 noatime 0 2\nmounted: none -> /dev/sdb1\n`,
    after: is(OTHER + LINE, DATA),
  },
  {
    claim: "what is so needs nothing",
    state: is(OTHER + LINE, DATA),
    name: at,
    options: data,
    actions: [],
    ran: [],
  },
  {
    claim: "a line with tabs is the same",
    state: is(LINE.replace(/ /g, "\t"), DATA),
    name: at,
    options: data,
    actions: [],
  },
  {
    claim: "a slash at the end is no difference",
    state: is(LINE, DATA),
    name: `${at}/`,
    options: data,
    actions: [],
  },
  {
    claim: "it is in fstab and only not mounted",
    state: is(LINE, ROOT),
    name: at,
    options: data,
    actions: ["mount"],
    ran: ["mount /srv/data"],
    after: is(LINE, DATA),
  },
  {
    claim: "it is mounted and only not in fstab",
    state: is(OTHER, DATA),
    name: at,
    options: data,
    actions: ["fstab"],
  },
  {
    claim: "other options are mounted anew in place",
    state: is(LINE, DATA),
    name: at,
    options: { ...data, options: "noatime,ro" },
    actions: ["fstab", "remount"],
    diff: `--- ${FSTAB}\n+++ ${FSTAB}\n@@ -1 +1 @@\n-/dev/sdb1 /srv/data ext4 noatime 0 2\n+/dev/sdb1 /srv/data ext4 noatime,ro 0 2\noptions: noatime -> noatime,ro\n`,
  },
  {
    claim: "another device is mounted in the old one's place",
    state: is(LINE, DATA),
    name: at,
    options: { ...data, device: "/dev/sdc1" },
    actions: ["unmount", "fstab", "mount"],
  },
  {
    claim: "another number alone is fstab's business",
    state: is(LINE, DATA),
    name: at,
    options: { ...data, pass: 0 },
    actions: ["fstab"],
  },
  {
    claim: "a UUID in fstab is not what the kernel shows",
    state: is(LINE.replace("/dev/sdb1", "UUID=7"), DATA),
    name: at,
    options: { ...data, device: "UUID=7" },
    actions: [],
  },
  {
    claim: "a device under another of its names is the same",
    state: is(LINE.replace("/dev/sdb1", "/usr/../dev/null"), DATA.replace("/dev/sdb1", "/dev/null")),
    name: at,
    options: { ...data, device: "/usr/../dev/null" },
    actions: [],
  },
  {
    claim: "present is fstab alone",
    state: is(OTHER, ROOT),
    name: at,
    options: { ...data, state: "present" },
    actions: ["fstab"],
    after: is(OTHER + LINE, ROOT),
  },
  {
    claim: "unmounted leaves fstab as it is",
    state: is(LINE, DATA),
    name: at,
    options: { state: "unmounted" },
    actions: ["unmount"],
    diff: "mounted: /dev/sdb1 -> none\n",
    ran: ["umount /srv/data"],
    after: is(LINE, ROOT),
  },
  {
    claim: "absent unmounts it, then takes it out of fstab",
    state: is(OTHER + LINE, DATA),
    name: at,
    options: { state: "absent" },
    actions: ["unmount", "fstab"],
    after: is(OTHER, ROOT),
  },
  {
    claim: "absent where nothing is needs nothing",
    state: is(OTHER, ROOT),
    name: at,
    options: { state: "absent" },
    actions: [],
  },
  {
    claim: "comments that look alike stay",
    state: is(`# ${LINE}`, ROOT),
    name: at,
    options: { state: "absent" },
    actions: [],
  },
  {
    claim: "a folder with a space is written as fstab writes it",
    state: {
      files: { [FSTAB]: "/dev/sdb1 /srv/my\\040data ext4 noatime 0 2\n" },
      programs: { [MOUNTS]: "/dev/sdb1 /srv/my\\040data ext4 rw 0 0\n" },
    },
    name: "/srv/my data",
    options: data,
    actions: [],
  },
  {
    claim: "what is mounted over another counts",
    state: is(LINE, `${DATA}tmpfs /srv/data tmpfs rw 0 0\n`),
    name: at,
    options: { state: "unmounted" },
    actions: ["unmount"],
    diff: "mounted: tmpfs -> none\n",
  },
  {
    claim: "a folder that does not exist is refused",
    state: { files: { [FSTAB]: OTHER }, programs: { [MOUNTS]: ROOT } },
    name: "/srv/no/such",
    options: data,
    error: "the folder /srv/no/such does not exist; make it with directory() before",
  },
  {
    claim: "a file is no place for it",
    state: { files: { [FSTAB]: OTHER, [at]: "x" }, programs: { [MOUNTS]: ROOT } },
    name: at,
    options: data,
    error: "it is no folder",
  },
  {
    claim: "its name is absolute",
    state: {},
    name: "data",
    options: data,
    error: "its name is the folder, an absolute path",
  },
  {
    claim: "it needs a device",
    state: {},
    name: at,
    options: { type: "ext4" },
    error: 'it needs the option "device"',
  },
  {
    claim: "it needs a type",
    state: {},
    name: at,
    options: { device: "/dev/sdb1", state: "present" },
    error: 'it needs the option "type"',
  },
  {
    claim: "options with spaces are refused",
    state: {},
    name: at,
    options: { ...data, options: "ro, noatime" },
    error: "can't hold spaces",
  },
  {
    claim: "an unknown state is refused with the known ones",
    state: {},
    name: at,
    options: { ...data, state: "on" },
    error: 'must be one of "mounted", "present", "unmounted", "absent"',
  },
];
testSystemCases(mount, MOUNT);
