import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dropbearMissing, type RealServer, startDropbear } from "../../support/real-sshd.js";
import { echoes, exported, handedOver, runCommand } from "../../support/session-load.js";
import { targetOf } from "../../support/ssh-target.js";

describe.skipIf(dropbearMissing)("a session handed over at Dropbear", () => {
  let server: RealServer;
  beforeAll(async () => {
    server = await startDropbear();
  });
  afterAll(() => server?.stop());

  it.each(["authenticated", "authenticating"] as const)("runs commands (%s)", async (phase) => {
    const session = await handedOver(server, { phase });
    expect(await runCommand(session, "echo over >&2; exit 3")).toMatchObject({ code: 3, stderr: "over\n" });
    expect((await runCommand(session, "echo again")).output.toString()).toBe("again\n");
    session.close();
    expect(await session.closed).toBeUndefined();
  });

  it("goes with an encrypted length, since Dropbear has neither GCM nor an ETM MAC", async () => {
    const { state, pipe } = await exported(targetOf(server));
    pipe.destroy();
    expect(state.outbound).toMatchObject({ cipher: "aes128-ctr", mac: "hmac-sha2-256" });
  });

  it("carries 20 MB both ways unaltered", async () => {
    const session = await handedOver(server);
    await echoes(session, 20e6);
    session.close();
  });

  it("renews its keys when we ask for it", async () => {
    const session = await handedOver(server, { adopt: { rekeyBytes: 500_000 } });
    await echoes(session, 5e6);
    session.close();
  });

  it("is handed over 30 times in a row", async () => {
    for (let i = 0; i < 30; i++) {
      const session = await handedOver(server, {
        phase: i % 2 ? "authenticating" : "authenticated",
        lingerMs: i % 3 ? 0 : 5,
      });
      await echoes(session, 50_000, i);
      session.close();
    }
  });
});

if (dropbearMissing) it.skip(`Dropbear: ${dropbearMissing}`, () => {});
