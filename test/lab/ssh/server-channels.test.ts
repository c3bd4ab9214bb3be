import type { Connection } from "ssh2";
import { describe, expect, it } from "vitest";
import { createLogin } from "../../../transport/ssh/login.js";
import { dialSocket } from "../../../transport/ssh/tcp.js";
import { libraryTarget, startLibrary } from "../../support/ssh2-server.js";

type Done = (error: Error | undefined) => void;

/** What a server may try to open towards its client. */
const KINDS: readonly [string, (client: Connection, done: Done) => void][] = [
  ["a window of the operator's display", (client, done) => client.x11("127.0.0.1", 6000, done)],
  ["a forwarded connection", (client, done) => client.forwardOut("0.0.0.0", 80, "127.0.0.1", 1, done)],
  ["a forwarded socket", (client, done) => client.openssh_forwardOutStreamLocal("/run/x", done)],
  // Names that every JavaScript object answers to
  [
    "a forwarded socket called __proto__",
    (client, done) => client.openssh_forwardOutStreamLocal("__proto__", done),
  ],
  [
    "a forwarded socket called toString",
    (client, done) => client.openssh_forwardOutStreamLocal("toString", done),
  ],
];

describe("a server that opens a channel of its own", () => {
  it.each(KINDS)("is refused %s, and the session goes on", async (_what, open) => {
    let client: Connection | undefined;
    const server = await startLibrary({
      onConnection: (connection) => {
        client = connection;
      },
    });
    const session = await createLogin()(
      () => dialSocket(server.address, server.port, 5000),
      libraryTarget(server),
      {
        pace: "plain",
      },
    );
    await session.authenticated;
    const refused = await new Promise<Error | undefined>((resolve) => open(client!, resolve));
    expect(refused?.message).toMatch(/Channel open failure/);
    const pipe = await session.exec("cat", () => {});
    pipe.end("still there");
    expect(Buffer.concat(await pipe.toArray()).toString()).toBe("still there");
    session.close();
    await server.stop();
  });
});
