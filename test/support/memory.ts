import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Takes away what nothing refers to, so that what is kept can be measured. */
export function collect(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/** Bytes that are in use, on the heap and in buffers. */
export function bytesInUse(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
