import { fileURLToPath } from "node:url";
import type { BlobSource } from "../../../relay/mesh/types.js";
import { MopError } from "../../../transport/errors.js";
import type { Value } from "../../../transport/types.js";
import type { CallOrder } from "../../vocabulary/order.js";
import { plainValue } from "../inventory/plain.js";
import { type MopPackage, mopNames } from "../policy/mop-package.js";
import { messageOf } from "../policy-error.js";
import { type AnyFunction, findFunction } from "./find-function.js";
import { EXPORT, shipFunction } from "./ship-function.js";

export interface ShippedCall {
  readonly order: CallOrder;
  readonly blobs: readonly BlobSource[];
}

/** A call as an order, and what has to travel for it. Throws PolicyError and MopError (BAD_ARGUMENT). */
export async function shipCall(
  fn: AnyFunction | { readonly module: string | URL; readonly name: string },
  args: readonly unknown[],
  mop: MopPackage,
): Promise<ShippedCall> {
  const home = typeof fn === "function" ? await findFunction(fn) : { file: pathOf(fn.module), name: fn.name };
  const values = args.map((arg, index) => argument(arg, `argument ${index + 1} of ${home.name}`));
  const { module, packages } = await shipFunction(home, await mopNames(mop));
  return {
    order: {
      kind: "call",
      module: module.hash,
      packages: Object.fromEntries([...packages].map(([name, blob]) => [name, blob.hash])),
      export: EXPORT,
      args: values,
    },
    blobs: [module, ...packages.values()],
  };
}

const pathOf = (module: string | URL): string =>
  module instanceof URL || module.startsWith("file:") ? fileURLToPath(module) : module;

/** A missing argument is null on the wire. */
function argument(value: unknown, where: string): Value {
  try {
    return value === undefined ? null : plainValue(value, where);
  } catch (error) {
    throw new MopError("BAD_ARGUMENT", messageOf(error), { cause: error });
  }
}
