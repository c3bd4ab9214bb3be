import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Takes away what nothing refers to, so that what is kept can be measured. */
export function collect(): void {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  // The first round finds what the second frees: buffers behind objects that were collected.
  gc();
  gc();
}

/** Bytes that are in use, on the heap and in buffers. */
export function bytesInUse(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
