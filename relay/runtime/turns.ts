/** So many at a time; the others in the order that they came. */
export function createTurns(most: number): () => Promise<() => void> {
  let free = most;
  const waiting: (() => void)[] = [];
  return async () => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = waiting.shift();
      if (next) next();
      else free++;
    };
  };
}

/** Hosts that are brought a runtime at the same time: each takes a piece or two of memory. */
export const TURNS = 4;
