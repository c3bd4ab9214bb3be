/**
 * Calls `then` after so many ms, behind the reading of all that came in until then: a process that was held up has its
 * timers run first, and would believe what it had read before. Returns what calls it off.
 */
export function afterReading(ms: number, then: () => void): () => void {
  let off = false;
  const timer = setTimeout(setImmediate, ms, () => off || then());
  return () => {
    off = true;
    clearTimeout(timer);
  };
}
