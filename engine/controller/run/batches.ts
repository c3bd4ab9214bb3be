import type { Amount, Serial } from "../../vocabulary/language.js";

const PERCENTAGE = /^(\d{1,3}(?:\.\d+)?)%$/;

/** Whether a text or number says how many of so many: 3, "25%". `least` is the smallest number that makes sense. */
export function isAmount(value: unknown, least: number): value is Amount {
  if (typeof value === "number") return Number.isInteger(value) && value >= least;
  const part = typeof value === "string" ? PERCENTAGE.exec(value)?.[1] : undefined;
  return part !== undefined && Number(part) <= 100 && Number(part) >= Math.min(least, 0.001);
}

/** The number itself, or the part of `total`, rounded down. */
export function amountOf(amount: Amount, total: number): number {
  if (typeof amount === "number") return amount;
  return Math.floor((total * Number.parseFloat(amount)) / 100);
}

/**
 * How many hosts each batch has: `serial` in turn, its last item again and again until all have their turn; a
 * percentage is of all hosts of the role, at least one. Without `serial` all are one batch.
 */
export function batchSizes(serial: Serial | undefined, hosts: number): number[] {
  const steps = serial === undefined ? [] : Array.isArray(serial) ? serial : [serial as Amount];
  const sizes: number[] = [];
  for (let left = hosts, at = 0; left > 0; at++) {
    const step = steps[Math.min(at, steps.length - 1)];
    const size = Math.min(left, step === undefined ? left : Math.max(1, amountOf(step, hosts)));
    sizes.push(size);
    left -= size;
  }
  return sizes;
}
