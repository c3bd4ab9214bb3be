import { type Draft, type StateTable, statesOf } from "../state.js";

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

export const CRON_TABLE: StateTable = {
  prepare: "id shop >/dev/null 2>&1 || useradd -m shop",
  states: statesOf("cron", CRON),
  untouched: ["/etc", "/var/spool/cron"],
};
