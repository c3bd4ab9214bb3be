import type { Value } from "../../../transport/types.js";
import { decodeValue } from "../../../transport/wire/value.js";
import type { LeafOrder, RolePlan } from "../../vocabulary/order.js";

type Fields = { readonly [key: string]: Value | undefined };

const isText = (value: unknown): value is string => typeof value === "string";
const isMap = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
const isFlag = (value: unknown): boolean => value === undefined || typeof value === "boolean";
const isList = (value: unknown): value is readonly Value[] => Array.isArray(value);
const isTextList = (value: unknown): boolean => isList(value) && value.every(isText);
const isLog = (log: unknown): boolean =>
  log === null || (isMap(log) && isText(log.path) && isText(log.operator) && isText(log.run));
const isTextMap = (value: unknown): boolean => isMap(value) && Object.values(value).every(isText);

/** Reads what the controller ordered. Throws an Error when this wing doesn't know it. */
export const readOrder = (bytes: Uint8Array): LeafOrder => readOrderValue(decodeValue(bytes));

/** The same of a value that was decoded already. */
export function readOrderValue(value: Value): LeafOrder {
  const order = fields(value, "order");
  const { kind } = order;
  const good =
    kind === "role"
      ? isText(order.plan) &&
        isMap(order.host) &&
        isText(order.host.name) &&
        isList(order.host.groups) &&
        isMap(order.vars) &&
        (order.secretVars === undefined ||
          (isMap(order.secretVars) && isMap(order.secretVars.vars) && isMap(order.secretVars.extraVars))) &&
        isTextList(order.secrets) &&
        isLog(order.log) &&
        (order.resume === undefined ||
          (isMap(order.resume) && isList(order.resume.done) && isText(order.resume.boot))) &&
        isFlag(order.follows) &&
        isFlag(order.unsure)
      : kind === "command"
        ? isText(order.command) && (order.timeoutMs === null || typeof order.timeoutMs === "number")
        : kind === "call"
          ? isText(order.module) && isTextMap(order.packages) && isText(order.export) && isList(order.args)
          : kind === "facts"
            ? isTextMap(order.parts) && isList(order.names) && order.names.every(isText)
            : undefined;
  if (good === undefined) throw new Error(`this host's program does not know the order "${String(kind)}"`);
  if (!good) throw new Error(`the order "${String(kind)}" that came is malformed`);
  return order as unknown as LeafOrder;
}

/** Reads the part of an order that all hosts of a role share. */
export function readPlan(bytes: Uint8Array): RolePlan {
  const plan = fields(decodeValue(bytes), "role's plan");
  const {
    role,
    module,
    packages,
    parts,
    likely,
    files,
    vars,
    extraVars,
    check,
    diff,
    tags,
    skipTags,
    roleTags,
  } = plan;
  const good =
    isText(role) &&
    isText(module) &&
    isTextMap(packages) &&
    isTextMap(parts) &&
    isTextList(likely) &&
    isMap(files) &&
    isMap(vars) &&
    isMap(extraVars) &&
    typeof check === "boolean" &&
    typeof diff === "boolean" &&
    (tags === null || isList(tags)) &&
    isList(skipTags) &&
    isList(roleTags);
  if (!good) throw new Error("the role's plan that came is malformed");
  return plan as unknown as RolePlan;
}

function fields(value: Value, what: string): Fields {
  if (!isMap(value)) throw new Error(`the ${what} that came is malformed`);
  return value;
}
