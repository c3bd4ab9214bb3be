import { type Draft, type StateTable, statesOf } from "../state.js";

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

export const MOUNT_TABLE: StateTable = {
  states: statesOf("mount", MOUNT),
  untouched: ["/etc"],
  watch: "cat /proc/mounts",
};
