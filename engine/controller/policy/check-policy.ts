import { GATHERED, PLAIN } from "../../vocabulary/facts.js";
import { MARK, type Policy, type RoleEntry } from "../../vocabulary/language.js";
import { TYPE_PARTS, WING_TYPES } from "../../vocabulary/parts.js";
import { isPlainObject } from "../inventory/plain.js";
import { PolicyError } from "../policy-error.js";
import { isAmount } from "../run/batches.js";

const ENTRY_KEYS = new Set([
  "role",
  "groups",
  "hosts",
  "vars",
  "tags",
  "serial",
  "maxFailures",
  "runOnce",
  "delegate",
  "strategy",
  "become",
  "shouldContact",
  "beforeContact",
  "afterContact",
]);
/** Names in a role's context that its own types can't have. */
const TAKEN: ReadonlySet<string> = new Set([
  ...["vars", "facts", "host", "check"],
  ...WING_TYPES,
  ...Object.values(TYPE_PARTS).flat(),
]);
/** Names in `facts` that a role's own can't have. */
const TAKEN_FACTS: ReadonlySet<string> = new Set([...PLAIN, ...GATHERED, "file", "chaos", "invalidate"]);
const HOOKS = ["shouldContact", "beforeContact", "afterContact"] as const;

/** What a policy file's default export must be; JavaScript policies have no type checker. */
export function checkPolicy(value: unknown, file: string): Policy {
  const fail: (message: string) => never = (message) => {
    throw new PolicyError(message, { file });
  };
  if (value === undefined)
    fail("there is no default export; end the file with `export default definePolicy({ ... })`");
  if (!isPlainObject(value) || value[MARK] !== "policy")
    fail("the default export is no policy; make it with `export default definePolicy({ ... })`");
  const { roles, vars } = value;
  if (!Array.isArray(roles)) fail("the policy's `roles` is no list");
  if (vars !== undefined && !isPlainObject(vars)) fail("the policy's `vars` is no object");
  for (const [index, entry] of roles.entries()) checkEntry(entry, `roles[${index}]`, fail);
  const byName = new Map<string, unknown>();
  for (const { role } of roles as RoleEntry[]) {
    if (byName.has(role.name) && byName.get(role.name) !== role)
      fail(`two roles have the name "${role.name}"; names of roles are unique in a policy`);
    byName.set(role.name, role);
  }
  return value as unknown as Policy;
}

function checkEntry(entry: unknown, at: string, fail: (message: string) => never): void {
  if (!isPlainObject(entry)) fail(`${at} is no object; write { role: ... }`);
  if (entry[MARK] === "role") fail(`${at} is a role itself; write { role: ${String(entry.name)} }`);
  const role = entry.role;
  if (!isPlainObject(role) || role[MARK] !== "role")
    fail(`${at}.role is no role; make it with defineRole({ ... })`);
  const { name, vars, files, types, facts, providers } = role;
  if (typeof name !== "string" || !/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name))
    fail(`${at}.role has the name ${JSON.stringify(name)}; a name has letters, digits, - and _`);
  if (typeof role.main !== "function") fail(`role ${name} has no \`main\` function`);
  if (vars !== undefined && !isPlainObject(vars)) fail(`role ${name}: \`vars\` is no object`);
  if (files !== undefined && !isTextList(files)) fail(`role ${name}: \`files\` is no list of patterns`);
  checkTypes(types, (message) => fail(`role ${name}: ${message}`));
  checkFacts(facts, (message) => fail(`role ${name}: ${message}`));
  if (providers !== undefined && !(Array.isArray(providers) && providers.every(isProvider)))
    fail(`role ${name}: \`providers\` is no list of what defineProvider() gave`);
  for (const key of Object.keys(entry))
    if (!ENTRY_KEYS.has(key))
      fail(`role ${name}: ${at} has the unknown key "${key}"; known are ${[...ENTRY_KEYS].join(", ")}`);
  for (const key of ["groups", "hosts", "tags"])
    if (entry[key] !== undefined && !isTextList(entry[key]))
      fail(`role ${name}: \`${key}\` is no list of texts`);
  if (entry.vars !== undefined && !isPlainObject(entry.vars))
    fail(`role ${name}: \`vars\` of its entry is no object`);
  const { become } = entry;
  checkOrder(entry, (message) => fail(`role ${name}: ${message}`));
  if (become !== undefined && typeof become !== "boolean" && typeof become !== "string")
    fail(`role ${name}: \`become\` is neither true, false nor a user's name`);
  for (const hook of HOOKS)
    if (entry[hook] !== undefined && typeof entry[hook] !== "function")
      fail(`role ${name}: \`${hook}\` is no function`);
}

/** Which hosts at once, and what stops the others. */
function checkOrder(entry: Record<string, unknown>, fail: (message: string) => never): void {
  const { serial, maxFailures, runOnce, delegate, strategy } = entry;
  const steps = Array.isArray(serial) ? serial : [serial];
  if (serial !== undefined && (steps.length === 0 || !steps.every((step) => isAmount(step, 1))))
    fail(
      `\`serial\` is ${JSON.stringify(serial)}; give a whole number from 1 up, a percentage such as "25%", or a list of these`,
    );
  if (maxFailures !== undefined && !isAmount(maxFailures, 0))
    fail(
      `\`maxFailures\` is ${JSON.stringify(maxFailures)}; give a whole number from 0 up, or a percentage such as "25%"`,
    );
  if (runOnce !== undefined && typeof runOnce !== "boolean") fail("`runOnce` is neither true nor false");
  if (delegate !== undefined && typeof delegate !== "string" && typeof delegate !== "function")
    fail("`delegate` is neither a host's name nor a function of the host");
  if (strategy !== undefined && strategy !== "free")
    fail(`\`strategy\` is ${JSON.stringify(strategy)}; the only one beside the usual is "free"`);
  for (const key of ["serial", "maxFailures", "runOnce"] as const)
    if (strategy === "free" && entry[key] !== undefined && entry[key] !== false)
      fail(
        `\`${key}\` makes hosts wait for each other, which \`strategy: "free"\` rules out; leave one away`,
      );
}

function checkTypes(types: unknown, fail: (message: string) => never): void {
  if (types === undefined) return;
  if (!isPlainObject(types)) fail("`types` is no object of what defineType() gave");
  for (const [key, type] of Object.entries(types)) {
    if (TAKEN.has(key)) fail(`its own type "${key}" has a name that mop has already; choose another`);
    if (!isPlainObject(type) || type[MARK] !== "type" || typeof type.plan !== "function")
      fail(`its type "${key}" is none; make it with defineType({ name, options, plan })`);
  }
}

function checkFacts(facts: unknown, fail: (message: string) => never): void {
  if (facts === undefined) return;
  if (!isPlainObject(facts)) fail("`facts` is no object of what defineFact() gave");
  for (const [key, fact] of Object.entries(facts)) {
    if (TAKEN_FACTS.has(key)) fail(`its own fact "${key}" has a name that mop has already; choose another`);
    if (!isPlainObject(fact) || fact[MARK] !== "fact" || typeof fact.gather !== "function")
      fail(`its fact "${key}" is none; make it with defineFact((context) => ...)`);
  }
}

const isProvider = (value: unknown): boolean =>
  isPlainObject(value) && value[MARK] === "provider" && isPlainObject(value.provider);

const isTextList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");
