import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RealServer, sshdMissing, startSshd } from "../../support/real-sshd.js";
import { echoes, handedOver } from "../../support/session-load.js";

/** Rows that go on side by side, so that both cores have something to do; each is one hand-off behind the other. */
const ROWS = 4;
/** A hand-off costs a login and sshd's processes, some 90 ms of a busy machine: the full thousand in CI or with MOP_SOAK. */
const ALL = (process.env.MOP_SOAK ?? process.env.CI) ? 1000 : 200;
const PACES = ["plain", "conformant", "eager"] as const;

describe.skipIf(sshdMissing)(
  `sessions are handed over${sshdMissing ? ` (skipped: ${sshdMissing})` : ""}`,
  () => {
    let server: RealServer;
    beforeAll(async () => {
      server = await startSshd({ lines: ["MaxStartups 500", "LogLevel ERROR"] });
    });
    afterAll(() => server?.stop());

    /** Every pace, both phases, with and without bytes that came behind the border. */
    const one = async (i: number, bytes: number) => {
      const phase = i % 2 ? "authenticating" : "authenticated";
      const session = await handedOver(server, { phase, pace: PACES[i % 3]!, lingerMs: i % 5 ? 0 : 5 });
      await echoes(session, bytes, i % 250);
      session.close();
      expect(await session.closed).toBeUndefined();
    };

    it(`${ALL} times in a row without a byte lost, doubled or torn`, { timeout: 300_000 }, async () => {
      let done = 0;
      const row = async (first: number) => {
        for (let i = first; i < ALL; i += ROWS) {
          await one(i, 5000 + i);
          done++;
        }
      };
      await Promise.all(Array.from({ length: ROWS }, (_, first) => row(first)));
      expect(done).toBe(ALL);
    });

    it("50 at once without a byte lost, doubled or torn", { timeout: 120_000 }, async () => {
      await Promise.all(Array.from({ length: 50 }, (_, i) => one(i, 100_000)));
    });
  },
);
