import { packageType } from "../../../../../engine/leaf/types/packages/package.js";
import { type Answer, type SystemCase, testSystemCases } from "../system.js";

const DPKG = "dpkg-query -W -f=${Package}\\t${Architecture}\\t${Version}\\t${db:Status-Status}\\n";
const RPM = "rpm -q --qf %{NAME}|%{EPOCHNUM}:%{VERSION}-%{RELEASE}|%{ARCH}\\n";
const REPOQUERY = "dnf repoquery -q --qf %{name}|%{epoch}:%{version}-%{release}|%{arch}\\n";
const none: Answer = { rc: 1 };
const apt = (said: Answer, more: Record<string, Answer> = {}) => ({
  facts: { packageManager: "apt" },
  programs: {
    [`${DPKG} pie`]: none,
    "apt-cache policy pie": "pie:\n  Candidate: 1.0\n",
    "apt-get -s -q install -y pie": said,
    ...more,
  },
});
const dnf = (said: Answer, more: Record<string, Answer> = {}) => ({
  facts: { packageManager: "dnf" },
  programs: {
    [`${RPM} pie`]: none,
    [`${RPM} --whatprovides pie`]: none,
    [`${REPOQUERY} pie`]: "pie|0:1.0-1|noarch\n",
    "dnf --assumeno install pie": said,
    ...more,
  },
});
const LONG = "a-library-with-a-name-that-is-longer-than-its-column";
const TABLE = `Dependencies resolved.
================================================================================
 Package          Architecture      Version             Repository         Size
================================================================================
Installing:
 pie              noarch            1.0-1               states            5.4 k
Installing dependencies:
 ${LONG}
                  noarch            1:2.0-1             states            5.9 k
Upgrading:
 apple            noarch            2.0-1               states            5.9 k
Removing dependent packages:
 tart             noarch            0.9-1               @System           5.0 k

Transaction Summary
================================================================================
`;

const CASES: readonly SystemCase[] = [
  {
    claim: "apt: what comes and goes along stands in the diff, with what was there",
    state: apt(
      "Remv tart [0.9]\nInst apple [1.0] (2.0 trial [all])\nInst sugar (3.0 trial [all])\nInst pie (1.0 trial [all])\n",
      { [`${DPKG} sugar`]: none },
    ),
    name: "pie",
    actions: ["install"],
    diff: "pie: none -> 1.0\napple: 1.0 -> 2.0 (along with it)\nsugar: none -> 3.0 (along with it)\ntart: 0.9 -> none (along with it)\n",
  },
  {
    claim: "apt: what can't be had is told",
    state: apt({
      rc: 100,
      stdout: "Some packages could not be installed.\n pie : Depends: sugar but it is not installable\n",
      stderr: "E: Unable to correct problems, you have held broken packages.\n",
    }),
    name: "pie",
    error: "apt would refuse it: pie : Depends: sugar but it is not installable",
  },
  {
    claim: "apt: what is held is told",
    state: apt({
      rc: 100,
      stdout: "The following held packages will be changed:\n  pie\n",
      stderr: "E: Held packages were changed and -y was used.\n",
    }),
    name: "pie",
    error: "apt would refuse it: pie is held",
  },
  {
    claim: "apt: lists that will be fetched may have it",
    state: apt({ rc: 100, stderr: "E: Unable to correct problems.\n" }),
    name: "pie",
    options: { updateCache: true },
    actions: ["install"],
    diff: "pie: none -> 1.0\n",
  },
  {
    claim: "dnf: its table is read, names that are too long for it too",
    state: dnf(
      { rc: 1, stdout: TABLE, stderr: "Operation aborted.\n" },
      {
        [`${RPM} ${LONG} apple`]: "apple|0:1.0-1|noarch\n",
        [`${RPM} --whatprovides ${LONG}`]: none,
      },
    ),
    name: "pie",
    actions: ["install"],
    diff: `pie: none -> 1.0-1\n${LONG}: none -> 1:2.0-1 (along with it)\napple: 1.0-1 -> 2.0-1 (along with it)\ntart: 0.9-1 -> none (along with it)\n`,
  },
  {
    claim: "dnf: what can't be had is told",
    state: dnf({
      rc: 1,
      stderr:
        "Error: \n Problem: conflicting requests\n  - nothing provides sugar needed by pie-1.0-1.noarch\n",
    }),
    name: "pie",
    error: "dnf would refuse it: nothing provides sugar needed by pie-1.0-1.noarch",
  },
];

testSystemCases(packageType, CASES);
