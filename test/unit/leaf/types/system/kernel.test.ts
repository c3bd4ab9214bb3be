import { kernelModule } from "../../../../../engine/leaf/types/system/kernel-module.js";
import { sysctl } from "../../../../../engine/leaf/types/system/sysctl.js";
import { type SystemCase, testSystemCases } from "../system.js";

const FILE = "/etc/sysctl.d/99-mop.conf";
const LIVE = "/proc/sys/net/ipv4/ip_forward";
const forward = "net.ipv4.ip_forward";

const SYSCTL: readonly SystemCase[] = [
  {
    claim: "a setting is written for the next start, and set now",
    state: { files: { [FILE]: null, [LIVE]: "0\n" } },
    name: forward,
    options: { value: 1 },
    actions: ["file", "live"],
    diff: `--- /dev/null\n+++ ${FILE}\n@@ -0,0 +1 @@\n+net.ipv4.ip_forward = 1\nlive: 0 -> 1\n`,
    after: { files: { [FILE]: "net.ipv4.ip_forward = 1\n", [LIVE]: "1\n" } },
  },
  {
    claim: "what is so needs nothing, however it is spaced",
    state: { files: { [FILE]: " net.ipv4.ip_forward=1\n", [LIVE]: "1\n" } },
    name: forward,
    options: { value: "1" },
    actions: [],
  },
  {
    claim: "a name with slashes in the file is the same",
    state: { files: { [FILE]: "net/ipv4/ip_forward = 1\n", [LIVE]: "1\n" } },
    name: forward,
    options: { value: 1 },
    actions: [],
  },
  {
    claim: "a line that may fail is the same",
    state: { files: { [FILE]: "-net.ipv4.ip_forward = 1\n", [LIVE]: "1\n" } },
    name: forward,
    options: { value: 1 },
    actions: [],
  },
  {
    claim: "only the kernel has another value",
    state: { files: { [FILE]: "net.ipv4.ip_forward = 1\n", [LIVE]: "0\n" } },
    name: forward,
    options: { value: 1 },
    actions: ["live"],
  },
  {
    claim: "a value is changed in its place, and doubled lines go",
    state: {
      files: {
        [FILE]: "# ours\nnet.ipv4.ip_forward = 0\nvm.swappiness = 10\nnet.ipv4.ip_forward = 2\n",
        [LIVE]: "1\n",
      },
    },
    name: forward,
    options: { value: 1 },
    actions: ["file"],
    diff: `--- ${FILE}\n+++ ${FILE}\n@@ -1,4 +1,3 @@\n # ours\n-net.ipv4.ip_forward = 0\n+net.ipv4.ip_forward = 1\n vm.swappiness = 10\n-net.ipv4.ip_forward = 2\n`,
  },
  {
    claim: "several values are compared by their words",
    state: {
      files: {
        [FILE]: "net.ipv4.tcp_rmem = 4096 131072 6291456\n",
        "/proc/sys/net/ipv4/tcp_rmem": "4096\t131072\t6291456\n",
      },
    },
    name: "net.ipv4.tcp_rmem",
    options: { value: "4096  131072 6291456" },
    actions: [],
  },
  {
    claim: "live: false leaves the kernel alone",
    state: { files: { [FILE]: null, [LIVE]: "0\n" } },
    name: forward,
    options: { value: 1, live: false },
    actions: ["file"],
  },
  {
    claim: "a file of its own",
    state: { files: { "/etc/sysctl.d/10-net.conf": "net.ipv4.ip_forward = 1\n", [LIVE]: "1\n" } },
    name: forward,
    options: { value: 1, file: "/etc/sysctl.d/10-net.conf" },
    actions: [],
  },
  {
    claim: "absent takes the line out",
    state: { files: { [FILE]: "a.b = 1\nnet.ipv4.ip_forward = 1\n", [LIVE]: "1\n" } },
    name: forward,
    options: { absent: true },
    actions: ["file"],
    after: { files: { [FILE]: "a.b = 1\n" } },
  },
  {
    claim: "a file without a line goes",
    state: { files: { [FILE]: "net.ipv4.ip_forward = 1\n" } },
    name: forward,
    options: { absent: true },
    actions: ["file"],
    diff: `--- ${FILE}\n+++ /dev/null\n@@ -1 +0,0 @@\n-net.ipv4.ip_forward = 1\n`,
  },
  {
    claim: "absent where nothing stands needs nothing",
    state: { files: { [FILE]: null } },
    name: forward,
    options: { absent: true },
    actions: [],
  },
  {
    claim: "dots in names of interfaces stay, where slashes divide",
    state: { files: { [FILE]: null, "/proc/sys/net/ipv4/conf/eth0.1/rp_filter": "0\n" } },
    name: "net/ipv4/conf/eth0.1/rp_filter",
    options: { value: 1 },
    actions: ["file", "live"],
  },
  {
    claim: "a negative number is a number",
    state: {
      files: { [FILE]: "kernel.sched_rt_runtime_us = -1\n", "/proc/sys/kernel/sched_rt_runtime_us": "-1\n" },
    },
    name: "kernel.sched_rt_runtime_us",
    options: { value: -1 },
    actions: [],
  },
  {
    claim: "a setting that the kernel does not have is refused",
    state: { files: { [FILE]: null } },
    name: "net.nosuch",
    options: { value: 1 },
    error: 'the kernel has no setting "net.nosuch"',
  },
  {
    claim: "no way leads out of the kernel's settings",
    state: {},
    name: "net/../../../etc/passwd",
    options: { value: 1 },
    error: "is no setting of the kernel",
  },
  {
    claim: "an option of sysctl is no name",
    state: {},
    name: "-p",
    options: { value: 1 },
    error: '"-p" is no setting',
  },
  { claim: "it needs a value", state: {}, name: forward, options: {}, error: 'it needs the option "value"' },
  {
    claim: "a value that is empty is refused",
    state: {},
    name: forward,
    options: { value: " " },
    error: 'the option "value" is empty',
  },
  {
    claim: "a fraction is refused",
    state: {},
    name: forward,
    options: { value: 0.5 },
    error: "must be a string or a number",
  },
  {
    claim: "absent and a value don't go together",
    state: {},
    name: forward,
    options: { value: 1, absent: true },
    error: 'both "value" and "absent"',
  },
];
testSystemCases(sysctl, SYSCTL);

const LOAD = "/etc/modules-load.d/mop_trial.conf";
const PARAMETERS = "/etc/modprobe.d/mop_trial.conf";
const TABLE = "/proc/modules";
const loaded = "mop_trial 32768 0 - Live 0x0\n";
const is = (modules: string, load: string | null, parameters: string | null = null) => ({
  files: { [TABLE]: modules, [LOAD]: load, [PARAMETERS]: parameters },
});
const name = "mop_trial";

const MODULE: readonly SystemCase[] = [
  {
    claim: "one is loaded, now and at each start",
    state: { ...is("", null), programs: { "modprobe -n -q mop_trial": "" } },
    name,
    actions: ["persistent", "load"],
    diff: `--- /dev/null\n+++ ${LOAD}\n@@ -0,0 +1 @@\n+mop_trial\nmodule: not loaded -> loaded\n`,
    after: is(loaded, "mop_trial\n"),
  },
  {
    claim: "one that is loaded and stays so needs nothing",
    state: is(loaded, "# ours\nmop_trial\n"),
    name,
    actions: [],
  },
  {
    claim: "a dash in the name is an underscore",
    state: {
      files: {
        [TABLE]: loaded,
        "/etc/modules-load.d/mop-trial.conf": "mop-trial\n",
        "/etc/modprobe.d/mop-trial.conf": null,
      },
    },
    name: "mop-trial",
    actions: [],
  },
  {
    claim: "one that begins alike is another",
    state: {
      ...is("mop_trial2 1 0 - Live 0x0\n", "mop_trial\n"),
      programs: { "modprobe -n -q mop_trial": "" },
    },
    name,
    actions: ["load"],
  },
  {
    claim: "one that is built in is loaded",
    state: { files: { ...is("", "mop_trial\n").files, "/sys/module/mop_trial/x": "" } },
    name,
    actions: [],
  },
  { claim: "now only", state: is(loaded, null), name, options: { persistent: false }, actions: [] },
  {
    claim: "for the next start only",
    state: is(loaded, "mop_trial\n"),
    name,
    options: { loaded: false },
    actions: ["unload"],
  },
  {
    claim: "parameters are written for each load",
    state: is(loaded, "mop_trial\n"),
    name,
    options: { parameters: "a=1 b=2" },
    actions: ["parameters"],
    diff: `--- /dev/null\n+++ ${PARAMETERS}\n@@ -0,0 +1 @@\n+options mop_trial a=1 b=2\n`,
    after: is(loaded, "mop_trial\n", "options mop_trial a=1 b=2\n"),
  },
  {
    claim: "parameters that nobody asked about stay",
    state: is(loaded, "mop_trial\n", "options mop_trial a=1\n"),
    name,
    actions: [],
  },
  {
    claim: "absent takes all of it away",
    state: is(loaded, "mop_trial\n", "options mop_trial a=1\n"),
    name,
    options: { absent: true },
    actions: ["persistent", "parameters", "unload"],
    after: is("", null),
  },
  {
    claim: "absent where nothing is needs nothing",
    state: is("", null),
    name,
    options: { absent: true },
    actions: [],
  },
  {
    claim: "one that is built in can't be unloaded",
    state: { files: { ...is("", null).files, "/sys/module/mop_trial/x": "" } },
    name,
    options: { absent: true },
    error: "it is built into this kernel",
  },
  {
    claim: "one that the kernel does not have is refused",
    state: {
      ...is("", null),
      facts: { kernel: "6.1.0" },
      programs: { "modprobe -n -q mop_trial": { rc: 1 } },
    },
    name,
    error: 'the kernel 6.1.0 has no module "mop_trial"',
  },
  {
    claim: "a host without modprobe is refused",
    state: { ...is("", null), programs: { "modprobe -n -q mop_trial": { rc: 127 } } },
    name,
    error: "there is no modprobe on this host",
  },
  { claim: "a path is no module", state: {}, name: "../x", error: '"../x" is no name of a kernel module' },
  {
    claim: "absent and loaded don't go together",
    state: {},
    name,
    options: { absent: true, loaded: true },
    error: 'both "loaded" and "absent"',
  },
  {
    claim: "absent and parameters don't go together",
    state: {},
    name,
    options: { absent: true, parameters: "a=1" },
    error: 'both "parameters" and "absent"',
  },
  {
    claim: "parameters are one line",
    state: {},
    name,
    options: { parameters: "a=1\ninstall x" },
    error: "must be one line",
  },
];
testSystemCases(kernelModule, MODULE);
