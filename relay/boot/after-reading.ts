/**
 * Calls `then` after so many ms, behind the reading of all that came in until then: a process that was held up has its
 * timers run first, and would believe what it had read before.
 */
export const afterReading = (ms: number, then: () => void): unknown => setTimeout(setImmediate, ms, then);
