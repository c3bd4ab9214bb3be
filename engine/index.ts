/** The package "mop": what policies and programs import. Loading it is cheap: what connects is loaded when it is used. */
export { type ErrorName, MopError } from "../transport/errors.js";
export type { HostKeyPolicy, Prompter } from "../transport/ssh/types.js";
export { PolicyError, type SourcePlace } from "./controller/policy-error.js";
export type { RunResult } from "./controller/run/options.js";
export { Refusal, ResourceError } from "./leaf/errors.js";
export { either, oneOf, rules } from "./leaf/options.js";
export { type ConnectOptions, Mesh, type MeshOptions, type PushOptions } from "./mesh.js";
export { RemoteError } from "./remote-error.js";
export type { CommandResult, CommandRunOptions, FunctionPlace, Output, RemoteHost } from "./remote-host.js";
export type * from "./vocabulary/events.js";
export {
  type Chaos,
  defineFact,
  type FactContext,
  type FactDefinition,
  type FactFunctions,
  type Facts,
  type FactValue,
  type FileTests,
  type GatheredFacts,
  type Mount,
  type NetworkInterface,
  type RoleFacts,
  type Virtualization,
} from "./vocabulary/facts.js";
export type { HostVars, RawInventory } from "./vocabulary/inventory.js";
export * from "./vocabulary/language.js";
export type { HostView } from "./vocabulary/order.js";
export type * from "./vocabulary/resources.js";
export * from "./vocabulary/types.js";
