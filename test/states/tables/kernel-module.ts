import { type Draft, type StateTable, statesOf } from "../state.js";

/**
 * A container may not load modules, and not every kernel has some: "{module}" is one that this kernel has built in, "none"
 * one that no kernel has. What is loaded and unloaded is tried in test/unit/leaf/types/system/kernel.test.ts.
 */
const [L, P] = ["/etc/modules-load.d", "/etc/modprobe.d"];
const modules = (...lines: string[]) =>
  [`rm -rf ${L}/{module}.conf ${P}/{module}.conf ${L}/none.conf ${P}/none.conf`, ...lines].join("; ");
const LOADED = `printf '{module}\\n' >${L}/{module}.conf`;
const SET = `printf 'options {module} a=1\\n' >${P}/{module}.conf`;
const NONE = `printf 'none\\n' >${L}/none.conf; printf 'options none a=1\\n' >${P}/none.conf`;
const text = (path: string, lines: string) => `printf '${lines}' | cmp - ${path}`;
const module = (draft: Omit<Draft, "name">): Draft => ({ name: "{module}", ...draft });
const none = (draft: Omit<Draft, "name">): Draft => ({ name: "none", ...draft });
const OFF = { loaded: false };
const MODULE: readonly Draft[] = [
  module({
    claim: "it is not loaded at start yet",
    prepare: modules(),
    changes: ["persistent"],
    stands: `${text(`${L}/{module}.conf`, "{module}\\n")}; test ! -e ${P}/{module}.conf; test $(stat -c %a ${L}/{module}.conf) = 644`,
  }),
  module({ claim: "it is loaded at start", prepare: modules(LOADED), changes: [] }),
  module({
    claim: "it is loaded at start, which has a comment",
    prepare: modules(`printf '# ours\\n\\n {module} \\n; old\\n' >${L}/{module}.conf`),
    changes: [],
  }),
  module({
    claim: "its line is a comment",
    prepare: modules(`printf '# {module}\\n' >${L}/{module}.conf`),
    changes: ["persistent"],
    stands: text(`${L}/{module}.conf`, "{module}\\n"),
  }),
  module({
    claim: "another module stands in its file",
    prepare: modules(`printf 'other\\n' >${L}/{module}.conf`),
    changes: ["persistent"],
    stands: text(`${L}/{module}.conf`, "{module}\\n"),
  }),
  module({
    claim: "its file is empty",
    prepare: modules(`: >${L}/{module}.conf; chmod 600 ${L}/{module}.conf`),
    changes: ["persistent"],
    stands: `test $(stat -c %a ${L}/{module}.conf) = 600`,
  }),
  module({
    claim: "it shall not be loaded at start",
    prepare: modules(LOADED),
    options: { persistent: false },
    changes: ["persistent"],
    stands: `test ! -e ${L}/{module}.conf`,
  }),
  module({
    claim: "it is not loaded at start, and shall not be",
    prepare: modules(),
    options: { persistent: false },
    changes: [],
  }),
  module({
    claim: "it gets parameters",
    prepare: modules(LOADED),
    options: { parameters: "a=1 b=two" },
    changes: ["parameters"],
    stands: text(`${P}/{module}.conf`, "options {module} a=1 b=two\\n"),
  }),
  module({
    claim: "it has its parameters",
    prepare: modules(LOADED, SET),
    options: { parameters: " a=1 " },
    changes: [],
  }),
  module({
    claim: "it gets other parameters",
    prepare: modules(LOADED, SET),
    options: { parameters: "a=2" },
    changes: ["parameters"],
    stands: text(`${P}/{module}.conf`, "options {module} a=2\\n"),
  }),
  module({
    claim: "parameters that are not named stay",
    prepare: modules(LOADED, SET),
    changes: [],
    stands: `test -e ${P}/{module}.conf`,
  }),
  module({
    claim: "it gets both",
    prepare: modules(),
    options: { parameters: "a=1" },
    changes: ["persistent", "parameters"],
    stands: text(`${P}/{module}.conf`, "options {module} a=1\\n"),
  }),
  module({
    claim: "parameters alone",
    prepare: modules(),
    options: { persistent: false, parameters: "a=1" },
    changes: ["parameters"],
    stands: `test ! -e ${L}/{module}.conf`,
  }),
  none({
    claim: "one that is not loaded now is, at the next start",
    prepare: modules(),
    options: OFF,
    changes: ["persistent"],
    stands: text(`${L}/none.conf`, "none\\n"),
  }),
  none({
    claim: "with parameters for then",
    prepare: modules(),
    options: { ...OFF, parameters: "a=1" },
    changes: ["persistent", "parameters"],
  }),
  none({
    claim: "absent, where both files are there",
    prepare: modules(NONE),
    options: { absent: true },
    changes: ["persistent", "parameters"],
    stands: `test ! -e ${L}/none.conf; test ! -e ${P}/none.conf`,
  }),
  none({
    claim: "absent, where it has parameters only",
    prepare: modules(NONE, `rm ${L}/none.conf`),
    options: { absent: true },
    changes: ["parameters"],
    stands: `test ! -e ${P}/none.conf`,
  }),
  none({ claim: "absent already", prepare: modules(), options: { absent: true }, changes: [] }),
  none({
    claim: "neither now nor at start, but its parameters stay",
    prepare: modules(NONE),
    options: { ...OFF, persistent: false },
    changes: ["persistent"],
    stands: `test -e ${P}/none.conf`,
  }),
  none({ claim: "one that the kernel does not have", prepare: modules(NONE), error: 'has no module "none"' }),
  module({
    claim: "one that is built in can't be unloaded",
    prepare: modules(LOADED),
    options: { absent: true },
    error: "it is built into this kernel",
  }),
  module({
    claim: "one that is built in stays loaded",
    prepare: modules(LOADED),
    options: OFF,
    error: "it is built into this kernel",
  }),
  none({
    claim: "a folder stands in the place of its file",
    prepare: modules(`mkdir ${L}/none.conf`),
    options: OFF,
    error: `${L}/none.conf is no ordinary file`,
  }),
];

export const MODULE_TABLE: StateTable = {
  states: statesOf("kernelModule", MODULE),
  untouched: ["/etc"],
};
