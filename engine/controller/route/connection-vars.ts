import type { Become } from "../../../relay/boot/become.js";
import { HOP_KINDS, type Hop, type HopKind } from "../../../relay/mesh/types.js";
import { PolicyError } from "../policy-error.js";
import { commandWords, PRESETS, type PresetName } from "./presets.js";

/** The variables that steer a connection (interface.md, section 2); none of them is for roles. */
export const CONNECTION_VARS = [
  "mop_host",
  "mop_port",
  "mop_user",
  "mop_password",
  "mop_password_command",
  "mop_identity",
  "mop_via",
  "mop_become",
  "mop_become_user",
  "mop_become_method",
  "mop_become_password",
  "mop_become_password_command",
  "mop_node",
  "mop_hop",
  "mop_optional",
  "mop_command",
] as const;

/** Names the variables that are secret; no connection is steered by it, and it travels nowhere either. */
export const SECRETS_VAR = "mop_secrets";

export type MopHop = HopKind | PresetName | "auto";
const HOPS: readonly string[] = [...HOP_KINDS, "auto", ...Object.keys(PRESETS)];
const BECOME_METHODS: readonly string[] = ["sudo", "su", "doas"];

/** What the inventory says of one host's connection; undefined where it is silent. */
export interface ConnectionVars {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** For /bin/sh on the controller; not together with a password */
  readonly passwordCommand: string | undefined;
  readonly identity: readonly string[] | undefined;
  /** Entries (via.ts) in order; empty: directly, whatever ssh_config says */
  readonly via: readonly string[] | undefined;
  /** A path, or PUSH */
  readonly node: string | undefined;
  readonly hop: MopHop | undefined;
  /** As a bastion it may be left out where the host behind it is reached directly */
  readonly optional: boolean | undefined;
  /** Words of the command that leads into it */
  readonly command: readonly string[] | undefined;
  /** undefined where the inventory is silent */
  readonly become: boolean | undefined;
  readonly becomeUser: string | undefined;
  readonly becomeMethod: Become["method"] | undefined;
  readonly becomePassword: string | undefined;
  readonly becomePasswordCommand: string | undefined;
}

/** The value of mop_node that lets a Node be brought where there is none. */
export const PUSH = "push";

/** Where a host's Node is, or that one may be brought. */
export const nodeOf = ({ node }: Pick<ConnectionVars, "node">): Pick<Hop, "node" | "bring"> =>
  node === PUSH ? { node: "", bring: true } : { node: node ?? "" };

/** Reads and checks them. `where` names inventory and host in messages. */
export function connectionVars(vars: Readonly<Record<string, unknown>>, where: string): ConnectionVars {
  const text = (name: string): string | undefined => {
    const value = vars[name];
    if (value === undefined || value === null || value === "") return undefined;
    if (typeof value !== "string" && typeof value !== "number")
      throw new PolicyError(`${where}: ${name} is no text`);
    const result = String(value);
    if (/[\0-\x1f\x7f]/.test(result))
      throw new PolicyError(`${where}: ${name} has a control character in it`);
    return result;
  };
  const command = (password: string): string | undefined => {
    const name = `${password}_command`;
    const found = text(name);
    if (found !== undefined && text(password) !== undefined)
      throw new PolicyError(`${where}: ${password} and ${name} are both set; empty one of them`);
    return found;
  };
  const hop = text("mop_hop");
  if (hop !== undefined && !HOPS.includes(hop))
    throw new PolicyError(`${where}: mop_hop is "${hop}"; known are ${HOPS.join(", ")}`);
  if (hop === undefined && vars.mop_command)
    throw new PolicyError(`${where}: mop_command is for mop_hop = "command", which is missing`);
  const method = text("mop_become_method");
  if (method !== undefined && !BECOME_METHODS.includes(method))
    throw new PolicyError(
      `${where}: mop_become_method is "${method}"; known are ${BECOME_METHODS.join(", ")}`,
    );
  return {
    host: addressText(text("mop_host"), "mop_host", where),
    port: portNumber(vars.mop_port, where),
    user: text("mop_user"),
    password: text("mop_password"),
    passwordCommand: command("mop_password"),
    identity: nameList(vars.mop_identity, "mop_identity", where),
    via: nameList(vars.mop_via, "mop_via", where),
    node: text("mop_node"),
    hop: hop as MopHop | undefined,
    optional: yesOrNo(vars.mop_optional, "mop_optional", where),
    command: commandWords(vars.mop_command, where),
    become: yesOrNo(vars.mop_become, "mop_become", where),
    becomeUser: text("mop_become_user"),
    becomeMethod: method as Become["method"] | undefined,
    becomePassword: text("mop_become_password"),
    becomePasswordCommand: command("mop_become_password"),
  };
}

/** Names that begin like an option would be one to a command somewhere on the way. `[::1]` is read as `::1`. */
function addressText(value: string | undefined, name: string, where: string): string | undefined {
  if (value !== undefined && (value.startsWith("-") || /[\s'"`$;|&<>(){}\\]/.test(value)))
    throw new PolicyError(`${where}: ${name} is ${JSON.stringify(value)}, which is no host name or address`);
  if (value !== undefined && /^[^:]+:\d+$|\]:\d+$/.test(value))
    throw new PolicyError(`${where}: ${name} is ${JSON.stringify(value)}; the port goes into mop_port`);
  return value?.replace(/^\[(.*)\]$/, "$1");
}

function portNumber(value: unknown, where: string): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const port = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65535)
    throw new PolicyError(`${where}: mop_port is ${JSON.stringify(value)}; give a number from 1 to 65535`);
  return port;
}

function nameList(value: unknown, name: string, where: string): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const items: unknown[] =
    typeof value === "string" ? value.split(",") : Array.isArray(value) ? value : [value];
  return items.flatMap((item) => {
    if (typeof item !== "string") throw new PolicyError(`${where}: ${name} is no text`);
    return item.trim() === "" ? [] : [item.trim()];
  });
}

/** Anything else, as a user's name, would count as no in silence. */
function yesOrNo(value: unknown, name: string, where: string): boolean | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const word = String(value).toLowerCase();
  if (["true", "yes", "on", "1"].includes(word)) return true;
  if (["false", "no", "off", "0"].includes(word)) return false;
  const whom = name === "mop_become" ? "; whom to become is in mop_become_user" : "";
  throw new PolicyError(`${where}: ${name} is ${JSON.stringify(value)}; give true or false${whom}`);
}

/** A variable that looks like ours and is none, with the one that was probably meant. */
export function unknownConnectionVars(
  vars: Readonly<Record<string, unknown>>,
): { name: string; hint: string | undefined }[] {
  const known: readonly string[] = [...CONNECTION_VARS, SECRETS_VAR];
  return Object.keys(vars)
    .filter((name) => name.startsWith("mop_") && !known.includes(name))
    .map((name) => ({ name, hint: nearest(name, known) }));
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const scored = known.map((candidate) => ({ candidate, distance: editDistance(name, candidate) }));
  scored.sort((a, b) => a.distance - b.distance);
  const best = scored[0];
  return best && best.distance <= 3 ? best.candidate : undefined;
}

/** Levenshtein's distance: letters to insert, delete or replace. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}
