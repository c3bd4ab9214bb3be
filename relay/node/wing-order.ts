import type { Value } from "../../transport/types.js";
import type { WingOrder } from "../orders.js";
import { bad, count, table, text } from "./read-orders.js";

/** Most bytes of an order beyond what its first frame holds. */
const MAX_REST = 64 << 20;

export function readWingOrder(value: Value): WingOrder {
  const { entry, runner, order, ...from } = table(value, "wing");
  if (!(order instanceof Uint8Array)) throw bad("order is no bytes");
  return {
    entry: text(entry, "entry", 64),
    runner: text(runner, "runner", 64),
    order,
    rest: count(from.rest, "rest", 0, MAX_REST),
    memoryMb: count(from.memoryMb, "memoryMb", 8, 1 << 20),
    sealed: from.sealed === true,
  };
}
