import { homedir } from "node:os";
import { service } from "../../../../../engine/leaf/types/services/service.js";
import { type Answer, type SystemCase, type SystemState, testSystemCases } from "../system.js";

const openrc = { serviceManager: "openrc" };
const onOpenrc = (status: number, levels: string, described = ""): SystemState => ({
  facts: openrc,
  programs: {
    "rc-service --exists nginx": "",
    "rc-service nginx status": { rc: status },
    "rc-service nginx describe": { rc: 0, stderr: described },
    "rc-update -a show": `                nginx | ${levels}\n           nginx-debug |      default\n`,
  },
});
const OPENRC: readonly SystemCase[] = [
  {
    claim: "one that runs and is in a runlevel needs nothing",
    state: onOpenrc(0, "     default"),
    name: "nginx",
    options: { started: true, enabled: true },
    actions: [],
    ran: [],
  },
  {
    claim: "one that is stopped is put into its runlevel and started",
    state: onOpenrc(3, ""),
    name: "nginx",
    options: { started: true, enabled: true },
    actions: ["enable", "start"],
    ran: ["rc-update add nginx default", "rc-service nginx start"],
    after: onOpenrc(0, "     default"),
  },
  {
    claim: "it is taken out of every runlevel and stopped",
    state: onOpenrc(0, "boot default"),
    name: "nginx",
    options: { started: false, enabled: false },
    actions: ["disable", "stop"],
    ran: ["rc-update del nginx boot", "rc-update del nginx default", "rc-service nginx stop"],
    after: onOpenrc(3, ""),
  },
  {
    claim: "one that crashed does not run",
    state: onOpenrc(32, "     default"),
    name: "nginx",
    options: { started: true },
    actions: ["start"],
  },
  {
    claim: "restarted always restarts",
    state: onOpenrc(0, ""),
    name: "nginx",
    options: { restarted: true },
    actions: ["restart"],
    ran: ["rc-service nginx restart"],
  },
  {
    claim: "reloaded reloads",
    state: onOpenrc(0, "", " * reload: no description\n"),
    name: "nginx",
    options: { reloaded: true },
    actions: ["reload"],
    ran: ["rc-service nginx reload"],
  },
  {
    claim: "a script without reload can't reload",
    state: onOpenrc(0, "", " * healthcheck: no description\n"),
    name: "nginx",
    options: { reloaded: true },
    error: "openrc can't reload it",
  },
  {
    claim: "it can't mask",
    state: onOpenrc(3, ""),
    name: "nginx",
    options: { masked: true },
    error: "openrc has no way to mask a service",
  },
  {
    claim: "daemonReload has nothing to read",
    state: onOpenrc(0, ""),
    name: "nginx",
    options: { daemonReload: true },
    actions: [],
  },
  {
    claim: "one that is not there is refused",
    state: { facts: openrc, programs: { "rc-service --exists nginx": { rc: 1 } } },
    name: "nginx",
    options: { started: true },
    error: 'there is no service "nginx"',
  },
];
testSystemCases(
  service,
  OPENRC.map((item) => ({ ...item, claim: `openrc: ${item.claim}` })),
);

const sysvinit = { serviceManager: "sysvinit" };
const onSysvinit = (status: number, link: string): SystemState => ({
  facts: sysvinit,
  programs: { "service shop status": { rc: status } },
  files: { "/etc/init.d/shop": "#!/bin/sh\n", [`/etc/rc3.d/${link}`]: "", "/usr/sbin/update-rc.d": "" },
});
const SYSVINIT: readonly SystemCase[] = [
  {
    claim: "one that runs and has its link needs nothing",
    state: onSysvinit(0, "S20shop"),
    name: "shop",
    options: { started: true, enabled: true },
    actions: [],
    ran: [],
  },
  {
    claim: "one with a link that stops it is enabled",
    state: onSysvinit(3, "K20shop"),
    name: "shop",
    options: { started: true, enabled: true },
    actions: ["enable", "start"],
    ran: ["update-rc.d shop defaults", "update-rc.d shop enable", "service shop start"],
    after: { ...onSysvinit(0, "S20shop") },
  },
  {
    claim: "another's link is not its own",
    state: onSysvinit(0, "S20shop-admin"),
    name: "shop",
    options: { enabled: true },
    actions: ["enable"],
  },
  {
    claim: "it is disabled and stopped",
    state: onSysvinit(0, "S20shop"),
    name: "shop",
    options: { started: false, enabled: false },
    actions: ["disable", "stop"],
    ran: ["update-rc.d shop disable", "service shop stop"],
    after: onSysvinit(3, "K20shop"),
  },
  {
    claim: "without update-rc.d it is chkconfig",
    state: {
      ...onSysvinit(0, "K20shop"),
      files: { ...onSysvinit(0, "K20shop").files, "/usr/sbin/update-rc.d": null },
    },
    name: "shop",
    options: { enabled: true },
    actions: ["enable"],
    ran: ["chkconfig --add shop", "chkconfig shop on"],
  },
  {
    claim: "restarted always restarts",
    state: onSysvinit(0, "S20shop"),
    name: "shop",
    options: { restarted: true },
    actions: ["restart"],
    ran: ["service shop restart"],
  },
  {
    claim: "one without a script is not there",
    state: { facts: sysvinit, files: { "/etc/init.d/shop": null } },
    name: "shop",
    options: { started: true },
    error: 'there is no service "shop"',
  },
  {
    claim: "it can't mask",
    state: onSysvinit(3, "K20shop"),
    name: "shop",
    options: { masked: true },
    error: "sysvinit has no way to mask",
  },
];
testSystemCases(
  service,
  SYSVINIT.map((item) => ({ ...item, claim: `sysvinit: ${item.claim}` })),
);

const launchd = { serviceManager: "launchd", platform: "darwin" };
const uid = process.geteuid?.() ?? 0;
const domain = uid === 0 ? "system" : `gui/${uid}`;
const plist =
  uid === 0 ? "/Library/LaunchDaemons/org.shop.plist" : `${homedir()}/Library/LaunchAgents/org.shop.plist`;
const PRINT = `launchctl print ${domain}/org.shop`;
const onLaunchd = (printed: Answer, disabled: string): SystemState => ({
  facts: launchd,
  programs: {
    [PRINT]: printed,
    [`launchctl print-disabled ${domain}`]: `disabled services = {\n\t\t"org.shop" => ${disabled}\n}\n`,
  },
  files: { [plist]: "" },
});
const RUNNING = "system/org.shop = {\n\tactive count = 1\n\tstate = running\n}\n";
const LAUNCHD: readonly SystemCase[] = [
  {
    claim: "one that runs and is enabled needs nothing",
    state: onLaunchd(RUNNING, "enabled"),
    name: "org.shop",
    options: { started: true, enabled: true },
    actions: [],
  },
  {
    claim: "one that launchd has not loaded is enabled, loaded and started",
    state: onLaunchd({ rc: 113 }, "disabled"),
    name: "org.shop",
    options: { started: true, enabled: true },
    actions: ["enable", "start"],
  },
  {
    claim: "older ones say true for disabled",
    state: onLaunchd(RUNNING, "true"),
    name: "org.shop",
    options: { enabled: true },
    actions: ["enable"],
    ran: [`launchctl enable ${domain}/org.shop`],
  },
  {
    claim: "it is stopped for good by making launchd forget it",
    state: onLaunchd(RUNNING, "enabled"),
    name: "org.shop",
    options: { started: false },
    actions: ["stop"],
    ran: [`launchctl bootout ${domain}/org.shop`],
    after: onLaunchd({ rc: 113 }, "enabled"),
  },
  {
    claim: "restarted kills and starts it",
    state: onLaunchd(RUNNING, "enabled"),
    name: "org.shop",
    options: { restarted: true },
    actions: ["restart"],
    ran: [`launchctl kickstart -k ${domain}/org.shop`],
  },
  {
    claim: "it can't reload",
    state: onLaunchd(RUNNING, "enabled"),
    name: "org.shop",
    options: { reloaded: true },
    error: "launchd has no way to reload",
  },
  {
    claim: "one without a property list is not there",
    state: { facts: launchd, programs: { [PRINT]: { rc: 113 } }, files: { [plist]: null } },
    name: "org.shop",
    options: { started: true },
    error: 'there is no service "org.shop"',
  },
];
testSystemCases(
  service,
  LAUNCHD.map((item) => ({ ...item, claim: `launchd: ${item.claim}` })),
);

const onBrew = (running: boolean, registered: boolean): SystemState => ({
  programs: {
    "brew services info redis --json": JSON.stringify([
      { name: "redis", running, loaded: registered, registered },
    ]),
  },
});
const brew = { provider: "brew" };
const BREW: readonly SystemCase[] = [
  {
    claim: "one that runs and is registered needs nothing",
    state: onBrew(true, true),
    name: "redis",
    options: { ...brew, started: true, enabled: true },
    actions: [],
    ran: [],
  },
  {
    claim: "registering starts it too",
    state: onBrew(false, false),
    name: "redis",
    options: { ...brew, started: true, enabled: true },
    actions: ["enable", "start"],
    ran: ["brew services start redis"],
    after: onBrew(true, true),
  },
  {
    claim: "it is started without being registered",
    state: onBrew(false, false),
    name: "redis",
    options: { ...brew, started: true },
    actions: ["start"],
    ran: ["brew services run redis"],
    after: onBrew(true, false),
  },
  {
    claim: "forgetting stops it too",
    state: onBrew(true, true),
    name: "redis",
    options: { ...brew, started: false, enabled: false },
    actions: ["disable", "stop"],
    ran: ["brew services stop redis"],
    after: onBrew(false, false),
  },
  {
    claim: "it can't be registered without a start",
    state: onBrew(false, false),
    name: "redis",
    options: { ...brew, enabled: true },
    error: 'add "started: true"',
  },
  {
    claim: "it can't be forgotten without a stop",
    state: onBrew(true, true),
    name: "redis",
    options: { ...brew, enabled: false },
    error: 'add "started: false"',
  },
  {
    claim: "restarted always restarts",
    state: onBrew(true, true),
    name: "redis",
    options: { ...brew, restarted: true },
    actions: ["restart"],
    ran: ["brew services restart redis"],
  },
  {
    claim: "one that brew does not know is refused",
    state: {
      programs: { "brew services info redis --json": { rc: 1, stderr: "Error: No available formula" } },
    },
    name: "redis",
    options: { ...brew, started: true },
    error: 'there is no service "redis"',
  },
];
testSystemCases(
  service,
  BREW.map((item) => ({ ...item, claim: `brew: ${item.claim}` })),
);
testSystemCases(service, [
  {
    claim: "a host without a manager needs one named",
    state: { facts: { serviceManager: null } },
    name: "x",
    options: { started: true },
    error: "none of its providers suits this host",
  },
]);
