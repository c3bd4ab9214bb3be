import { service } from "../../../../../engine/leaf/types/services/service.js";
import { type SystemCase, type SystemState, testSystemCases } from "../system.js";

const facts = { serviceManager: "systemd" };
const SHOW =
  "systemctl show --property=LoadState,ActiveState,UnitFileState,NeedDaemonReload,Type,Result,CanStart,CanStop,CanReload,FragmentPath";

interface Unit {
  readonly load?: string;
  readonly active?: string;
  readonly file?: string;
  readonly stale?: boolean;
  readonly type?: string;
  readonly result?: string;
  /** More properties, a line each */
  readonly more?: string;
}
const unit = ({
  load = "loaded",
  active = "active",
  file = "enabled",
  stale = false,
  type = "simple",
  result = "success",
  more = "",
}: Unit) =>
  `Type=${type}\nResult=${result}\nLoadState=${load}\nActiveState=${active}\nUnitFileState=${file}\nNeedDaemonReload=${stale ? "yes" : "no"}\n${more}`;
const state = (how: Unit, name = "nginx"): SystemState => ({
  facts,
  programs: { [`${SHOW} ${name}`]: unit(how) },
});
const stopped: Unit = { active: "inactive", file: "disabled" };
const NONE: Unit = { load: "not-found", active: "inactive", file: "" };

const barred = (claim: string, how: Unit, options: object, rest: Pick<SystemCase, "error" | "actions">) => ({
  claim,
  state: state(how),
  name: "nginx",
  options: { ...options },
  ...rest,
});

const CASES: readonly SystemCase[] = [
  barred(
    "one without ExecReload",
    { more: "CanReload=no\n" },
    { reloaded: true },
    { error: "systemd can't reload it" },
  ),
  barred("one with ExecReload", { more: "CanReload=yes\n" }, { reloaded: true }, { actions: ["reload"] }),
  barred(
    "one that was given ExecReload but not read",
    { more: "CanReload=no\n", stale: true },
    { daemonReload: true, reloaded: true },
    { actions: ["daemonReload", "reload"] },
  ),
  barred(
    "one that may not be started by hand",
    { ...stopped, more: "CanStart=no\n" },
    { started: true },
    { error: "RefuseManualStart=" },
  ),
  barred(
    "one that may not be stopped by hand",
    { more: "CanStop=no\n" },
    { restarted: true },
    { error: "RefuseManualStop=" },
  ),
  barred(
    "a unit in /etc is in the mask's place",
    { more: "FragmentPath=/etc/systemd/system/nginx.service\n" },
    { masked: true },
    { error: "/etc/systemd/system/nginx.service is in the place of the mask" },
  ),
  barred(
    "a unit in /usr is none",
    { more: "FragmentPath=/usr/lib/systemd/system/nginx.service\n" },
    { masked: true },
    { actions: ["mask"] },
  ),
  {
    claim: "one that runs and is enabled needs nothing",
    state: state({}),
    name: "nginx",
    options: { started: true, enabled: true },
    actions: [],
    ran: [],
  },
  {
    claim: "one that is stopped and disabled is enabled, then started",
    state: state(stopped),
    name: "nginx",
    options: { started: true, enabled: true },
    actions: ["enable", "start"],
    diff: "state: stopped -> running\nenabled: no -> yes\n",
    ran: ["systemctl enable nginx", "systemctl start nginx"],
    after: state({}),
  },
  {
    claim: "what is not asked about stays as it is",
    state: state(stopped),
    name: "nginx",
    options: { started: true },
    actions: ["start"],
    ran: ["systemctl start nginx"],
    after: state({ file: "disabled" }),
  },
  {
    claim: "started: false stops it",
    state: state({}),
    name: "nginx",
    options: { started: false },
    actions: ["stop"],
    diff: "state: running -> stopped\n",
    ran: ["systemctl stop nginx"],
    after: state({ active: "inactive" }),
  },
  {
    claim: "one that is stopped stays stopped",
    state: state(stopped),
    name: "nginx",
    options: { started: false, enabled: false },
    actions: [],
    ran: [],
  },
  {
    claim: "one that failed does not run",
    state: state({ active: "failed" }),
    name: "nginx",
    options: { started: true },
    actions: ["start"],
  },
  {
    claim: "one that is just starting runs",
    state: state({ active: "activating" }),
    name: "nginx",
    options: { started: true },
    actions: [],
  },
  {
    claim: "enabled: false disables it before it is stopped",
    state: state({}),
    name: "nginx",
    options: { started: false, enabled: false },
    actions: ["disable", "stop"],
    ran: ["systemctl disable nginx", "systemctl stop nginx"],
    after: state(stopped),
  },
  {
    claim: "restarted restarts one that runs",
    state: state({}),
    name: "nginx",
    options: { restarted: true },
    actions: ["restart"],
    ran: ["systemctl restart nginx"],
  },
  {
    claim: "restarted starts one that is stopped",
    state: state(stopped),
    name: "nginx",
    options: { restarted: true, enabled: true },
    actions: ["enable", "restart"],
    diff: "state: stopped -> running\nenabled: no -> yes\n",
  },
  {
    claim: "restarted and started are one restart",
    state: state({}),
    name: "nginx",
    options: { started: true, restarted: true },
    actions: ["restart"],
  },
  {
    claim: "reloaded reloads one that runs",
    state: state({}),
    name: "nginx",
    options: { reloaded: true },
    actions: ["reload"],
    ran: ["systemctl reload nginx"],
  },
  {
    claim: "reloaded leaves one alone that is stopped",
    state: state(stopped),
    name: "nginx",
    options: { reloaded: true },
    actions: [],
  },
  {
    claim: "reloaded with started starts one that is stopped",
    state: state(stopped),
    name: "nginx",
    options: { reloaded: true, started: true },
    actions: ["start"],
  },
  {
    claim: "masked masks it",
    state: state(stopped),
    name: "nginx",
    options: { masked: true },
    actions: ["mask"],
    diff: "masked: no -> yes\n",
    ran: ["systemctl mask nginx"],
    after: state({ load: "masked", active: "inactive", file: "masked" }),
  },
  {
    claim: "masked, disabled and stopped come in this order",
    state: state({}),
    name: "nginx",
    options: { masked: true, enabled: false, started: false },
    actions: ["disable", "stop", "mask"],
  },
  {
    claim: "one that does not exist can be masked",
    state: state(NONE),
    name: "nginx",
    options: { masked: true },
    actions: ["mask"],
  },
  {
    claim: "masked: false unmasks it before it is started",
    state: state({ load: "masked", active: "inactive", file: "masked" }),
    name: "nginx",
    options: { masked: false, started: true },
    actions: ["unmask", "start"],
    ran: ["systemctl unmask nginx", "systemctl start nginx"],
    after: state({ file: "disabled" }),
  },
  {
    claim: "one that is masked can't be started as it is",
    state: state({ load: "masked", active: "inactive", file: "masked" }),
    name: "nginx",
    options: { started: true },
    error: 'it is masked; "masked: false" unmasks it',
  },
  {
    claim: "one that is masked is stopped already",
    state: state({ load: "masked", active: "inactive", file: "masked" }),
    name: "nginx",
    options: { started: false },
    actions: [],
  },
  {
    claim: "a static unit can't be enabled",
    state: state({ file: "static" }),
    name: "nginx",
    options: { enabled: true },
    error: "its unit does not say when it starts",
  },
  {
    claim: "a static unit is not enabled",
    state: state({ file: "static" }),
    name: "nginx",
    options: { enabled: false },
    actions: [],
  },
  {
    claim: "what is enabled until the next start only is to be enabled",
    state: state({ file: "enabled-runtime" }),
    name: "nginx",
    options: { enabled: true },
    actions: ["enable"],
  },
  {
    claim: "whether a script of init.d is enabled is asked elsewhere",
    state: {
      facts,
      programs: {
        [`${SHOW} old`]: unit({ file: "generated" }),
        "systemctl is-enabled old": { rc: 1, stdout: "disabled\n" },
      },
    },
    name: "old",
    options: { enabled: true },
    actions: ["enable"],
  },
  {
    claim: "daemonReload reads changed unit files first",
    state: state({ stale: true }),
    name: "nginx",
    options: { daemonReload: true, restarted: true },
    actions: ["daemonReload", "restart"],
    ran: ["systemctl daemon-reload", "systemctl restart nginx"],
  },
  {
    claim: "daemonReload does nothing where systemd knows them",
    state: state({}),
    name: "nginx",
    options: { daemonReload: true, started: true },
    actions: [],
  },
  {
    claim: "under --check a planned drop-in is a changed unit file",
    state: { ...state({}), files: { "/etc/systemd/system/nginx.service.d/limits.conf": "[Service]\n" } },
    name: "nginx",
    options: { daemonReload: true },
    actions: ["daemonReload"],
  },
  {
    claim: "under --check a planned unit is there",
    state: { ...state(NONE, "shop"), files: { "/etc/systemd/system/shop.service": "[Service]\n" } },
    name: "shop",
    options: { daemonReload: true, started: true, enabled: true },
    actions: ["enable", "start"],
  },
  {
    claim: "a planned template makes its instances",
    state: { ...state(NONE, "shop@one"), files: { "/etc/systemd/system/shop@.service": "[Service]\n" } },
    name: "shop@one",
    options: { started: true },
    actions: ["start"],
  },
  {
    claim: "one that ends after its work did not fail",
    state: state({ type: "oneshot", active: "inactive" }),
    name: "nginx",
    options: { restarted: true },
    actions: ["restart"],
    ran: ["systemctl restart nginx"],
  },
  {
    claim: "one that is not there can't be started",
    state: state(NONE),
    name: "nginx",
    options: { started: true },
    error: 'there is no service "nginx" on this host',
  },
  {
    claim: "one that is not there can't be restarted",
    state: state(NONE),
    name: "nginx",
    options: { restarted: true },
    error: 'there is no service "nginx"',
  },
  {
    claim: "one that is not there is stopped and disabled",
    state: state(NONE),
    name: "nginx",
    options: { started: false, enabled: false },
    actions: [],
  },
  {
    claim: "a unit that systemd can't read is refused",
    state: state({ load: "bad-setting" }),
    name: "nginx",
    options: { started: true },
    error: "systemd can't read its unit file",
  },
  {
    claim: "a timer is a unit as well",
    state: state({ file: "disabled", active: "inactive" }, "backup.timer"),
    name: "backup.timer",
    options: { enabled: true },
    actions: ["enable"],
  },
  {
    claim: "nothing asked is refused",
    state: state({}),
    name: "nginx",
    options: {},
    error: "nothing is asked of it; its options are started, enabled",
  },
  {
    claim: "an option of systemctl is no name",
    state: state({}),
    name: "--all",
    options: { started: true },
    error: '"--all" is no name of a service',
  },
  {
    claim: "restarted and stopped don't go together",
    state: state({}),
    name: "nginx",
    options: { restarted: true, started: false },
    error: "both restarted and not started",
  },
  {
    claim: "reloaded and stopped don't go together",
    state: state({}),
    name: "nginx",
    options: { reloaded: true, started: false },
    error: "both reloaded and not started",
  },
  {
    claim: "restarted and reloaded don't go together",
    state: state({}),
    name: "nginx",
    options: { reloaded: true, restarted: true },
    error: "both restarted and reloaded",
  },
  {
    claim: "masked and started don't go together",
    state: state({}),
    name: "nginx",
    options: { masked: true, started: true },
    error: "both masked and started",
  },
  {
    claim: "masked and enabled don't go together",
    state: state({}),
    name: "nginx",
    options: { masked: true, enabled: true },
    error: "both masked and enabled",
  },
  {
    claim: "masked and restarted don't go together",
    state: state({}),
    name: "nginx",
    options: { masked: true, restarted: true },
    error: "both masked and restarted",
  },
  {
    claim: "started is true or false",
    state: state({}),
    name: "nginx",
    options: { started: "yes" },
    error: 'the option "started" must be true or false, not "yes"',
  },
];

testSystemCases(service, CASES);
