import type { Value } from "../../../transport/types.js";
import { markedSecrets, markSecret, unfitSecret } from "../../vocabulary/secret.js";
import type { Inventory } from "../inventory/inventory.js";
import { plainValue } from "../inventory/plain.js";
import { PolicyError } from "../policy-error.js";
import { SECRETS_VAR } from "../route/connection-vars.js";

/** Variables that belong together, and what messages call them. */
export interface VarsLayer {
  readonly where: string;
  readonly vars: Readonly<Record<string, unknown>>;
}

export const hostLayers = ({ hosts, source }: Inventory): VarsLayer[] =>
  [...hosts.values()].map(({ name, vars }) => ({ where: `${source}: host ${name}`, vars }));

/**
 * Marks the values of all variables that `mop_secrets` names, wherever it stands: a name that is secret in one place is
 * secret in all. Gives the names. Throws PolicyError for what can't be kept secret.
 */
export function markNamed(layers: readonly VarsLayer[], warn?: (text: string) => void): Set<string> {
  const names = new Map<string, string>();
  for (const { where, vars } of layers)
    for (const name of secretNames(vars, where)) if (!names.has(name)) names.set(name, where);
  for (const [name, named] of names) {
    let found = false;
    for (const { where, vars } of layers) {
      if (!Object.hasOwn(vars, name) || vars[name] === undefined) continue;
      found = true;
      for (const text of texts(plainValue(vars[name], `${where}: ${name}`), `${where}: ${name}`)) {
        const why = unfitSecret(text);
        if (why !== undefined) throw new PolicyError(`${where}: ${name}, which ${SECRETS_VAR} names, ${why}`);
        markSecret(text);
      }
    }
    if (!found) warn?.(`${named}: ${SECRETS_VAR} names "${name}", and there is no such variable`);
  }
  return new Set(names.keys());
}

/** A list of names, or a text with commas, as the shorthand and --extra-vars can say it. */
function secretNames(vars: VarsLayer["vars"], where: string): string[] {
  const given = vars[SECRETS_VAR];
  if (given === undefined || given === null) return [];
  const items: unknown[] =
    typeof given === "string" ? given.split(",") : Array.isArray(given) ? given : [given];
  return items.flatMap((item) => {
    if (typeof item !== "string")
      throw new PolicyError(`${where}: ${SECRETS_VAR} is no list of variables' names`);
    return item.trim() === "" ? [] : [item.trim()];
  });
}

/** Every text and number in a value; nothing to hide in what is empty. */
function* texts(value: Value, where: string): Generator<string> {
  if (value === null || value === "") return;
  if (typeof value === "string") yield value;
  else if (typeof value === "number") yield String(value);
  else if (typeof value === "boolean")
    throw new PolicyError(`${where}: ${SECRETS_VAR} names it, and it is ${value}, which can't be masked`);
  else if (value instanceof Uint8Array) yield Buffer.from(value).toString("utf8");
  else for (const item of Object.values(value)) if (item !== undefined) yield* texts(item as Value, where);
}

/** The marked texts that stand in this data: what the hosts that get it must mask, and no more than that. */
export function secretsIn(data: Value): string[] {
  const marked = [...markedSecrets()];
  if (marked.length === 0) return [];
  const all = [...shown(data)];
  return marked.filter((secret) => all.some((text) => text.includes(secret)));
}

export const holdsSecret = (data: Value): boolean => secretsIn(data).length > 0;

type Vars = Readonly<Record<string, Value>>;

/** Variables apart: those in which a marked text stands, as a whole, and the others. */
export function apart(vars: Vars): { readonly open: Vars; readonly secret: Vars } {
  const all = Object.entries(vars);
  const isSecret = ([name, value]: readonly [string, Value]) => holdsSecret({ [name]: value });
  return {
    open: Object.fromEntries(all.filter((one) => !isSecret(one))),
    secret: Object.fromEntries(all.filter(isSecret)),
  };
}

function* shown(value: Value): Generator<string> {
  if (typeof value === "string") yield value;
  else if (typeof value === "number") yield String(value);
  else if (value instanceof Uint8Array) yield Buffer.from(value).toString("utf8");
  else if (typeof value === "object" && value !== null)
    for (const [key, item] of Object.entries(value)) {
      yield key;
      if (item !== undefined) yield* shown(item as Value);
    }
}
