import { MAX_EVENT } from "../../../relay/wing.js";
import type { Value } from "../../../transport/types.js";
import { encodeValue } from "../../../transport/wire/value.js";
import type { CallOrder, LeafResult } from "../../vocabulary/order.js";
import { type ModuleLoader, ROLE_FILE } from "../modules/loader.js";
import { messageOf } from "../role/position.js";

/** Bytes of a result beside its value, at most */
const ENVELOPE = 64;

/** Calls one function of a module; its value, or what it throws, goes back. */
export async function runCall(order: CallOrder, loader: Pick<ModuleLoader, "load">): Promise<LeafResult> {
  const exported = await loader.load({ hash: order.module, file: ROLE_FILE, packages: order.packages });
  const found = Object.getOwnPropertyDescriptor(exported, order.export);
  const called: unknown = found && exported[order.export];
  if (typeof called !== "function") throw new Error(`the module has no function "${order.export}"`);
  const value: unknown = await (called as (...args: readonly Value[]) => unknown)(...order.args);
  return { kind: "call", value: sendable(value, order.export) };
}

/** Throws an Error for what can't go back. */
function sendable(value: unknown, name: string): Value {
  let size: number;
  const data = (value === undefined ? null : value) as Value;
  try {
    size = encodeValue(data).length;
  } catch (error) {
    throw new Error(`what the function "${name}" gave can't be sent back: ${messageOf(error)}`);
  }
  if (size > MAX_EVENT - ENVELOPE)
    throw new Error(
      `what the function "${name}" gave is too large to be sent back: ${size} bytes, at most ${MAX_EVENT - ENVELOPE}`,
    );
  return data;
}
