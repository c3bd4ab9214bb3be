import { afterEach, expect, it } from "vitest";
import { adoptSession } from "../../../relay/session/adopt.js";
import { echoes, exported } from "../../support/session-load.js";
import { type LibraryServer, libraryTarget, startLibrary } from "../../support/ssh2-server.js";

let server: LibraryServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

// Without strict key exchange the packets' numbers go on across new keys
it.each([
  ["strict", false, "aes256-gcm@openssh.com"],
  ["lenient", true, "aes128-gcm@openssh.com"],
  ["lenient", true, "aes128-ctr"],
] as const)(
  "a handed-over session renews its keys as both sides ask for it, %s with %s",
  async (_name, lenient, cipher) => {
    server = await startLibrary({ lenient, rekeyBytes: 500_000, algorithms: { cipher: [cipher] } });
    const { pipe, replay, state } = await exported(libraryTarget(server));
    expect(state.rekey.strict).toBe(!lenient);
    expect(state.outbound.cipher).toBe(cipher);
    const session = adoptSession(pipe, replay, state, { name: "lab", rekeyBytes: 700_000 });
    await echoes(session, 5e6);
    expect(server.rekeys).toBeGreaterThan(3);
    session.close();
    expect(await session.closed).toBeUndefined();
  },
);
