/** The controller's wing as the command line and the library use it. */
export type { RunEvent } from "../vocabulary/events.js";
export { readExtraVars } from "./extra-vars.js";
export { type MopPackage, mopPackage } from "./policy/mop-package.js";
export { PolicyError } from "./policy-error.js";
export type { RouteOptions } from "./route/routes.js";
export { noSshConfig, type SshLookup, type SshSettings } from "./route/ssh-settings.js";
export {
  type DescribedHop,
  type DescribedHost,
  describeInventory,
  type InventoryReport,
} from "./run/describe-inventory.js";
export {
  exitStatus,
  type Report,
  type RunOptions,
  type RunResult,
  type TargetOptions,
} from "./run/options.js";
export { type PingEvent, pingHosts } from "./run/ping-hosts.js";
export { type PreparedRun, prepareRun } from "./run/prepare.js";
export type { HostOptions } from "./run/prepare-hosts.js";
export { COMMAND_ROLE, type CommandOptions, runCommand } from "./run/run-command.js";
export { executeRun, runPolicy } from "./run/run-policy.js";
export { type ValidationReport, validate } from "./run/validate.js";
export type { PlainVars } from "./variables.js";
