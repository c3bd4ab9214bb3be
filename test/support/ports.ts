/** Ports of loopback. */
import { createServer } from "node:net";

/** Below those that the system gives to whoever asks for any: nobody gets one of them between our look and its use. */
const FIRST = 20_000;
/** For each worker of a run, beside which others run */
const EACH = 1_500;
const WORKERS = 8;
const from = FIRST + (Number(process.env.VITEST_POOL_ID ?? 0) % WORKERS) * EACH;
/** Not the same in two runs on one machine */
let last = Math.floor(Math.random() * EACH);

/** One that nobody listens on, another one each time. */
export async function freePort(): Promise<number> {
  for (;;) {
    last = (last + 1) % EACH;
    const port = from + last;
    if (await isFree(port)) return port;
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
