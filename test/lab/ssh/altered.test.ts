import type { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { createLogin } from "../../../transport/ssh/login.js";
import { dialSocket } from "../../../transport/ssh/tcp.js";
import { until } from "../../support/alive.js";
import { libraryTarget, startLibrary } from "../../support/ssh2-server.js";

/** Who writes at the very moment at which a session breaks must not end the process by it: ssh2 throws where it is broken. */
describe("a session that is altered on the way", () => {
  const turns: readonly [string, (act: () => void) => void][] = [
    ["at once", (act) => act()],
    ["in the next tick", process.nextTick],
    ["in the next microtask", queueMicrotask],
    ["in the next turn", setImmediate],
  ];
  it.each(turns)(
    "ends, and what is written then, %s, fails or is lost",
    async (_when, then) => {
      const server = await startLibrary({});
      let socket: Duplex | undefined;
      const open = async () => {
        socket = await dialSocket(server.address, server.port, 5000);
        return socket;
      };
      const session = await createLogin()(open, libraryTarget(server), { pace: "plain" });
      await session.authenticated;
      const pipe = await session.exec("cat", () => {});
      pipe.write("before");
      await new Promise((resolve) => pipe.once("data", resolve));
      // What nobody has read keeps the pipe open behind the session's end
      pipe.pause();
      pipe.write("unread");
      await until("what is not read", () => pipe.readableLength > 0);
      const over = new Promise<void>((resolve) => {
        pipe.on("error", () => resolve()).on("end", () => resolve());
      });
      const thrown: unknown[] = [];
      const write = () => {
        try {
          pipe.write("behind");
        } catch (error) {
          thrown.push(error);
        }
      };
      // A packet of the right length (AES-GCM) whose tag is wrong
      socket!.emit("data", Buffer.concat([Buffer.from([0, 0, 0, 32]), Buffer.alloc(48, 7)]));
      then(write);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(thrown).toEqual([]);
      expect(await session.closed).toMatchObject({
        code: "SSH_PROTOCOL",
        message: expect.stringMatching(/altered on the way/),
      });
      pipe.resume();
      await over;
      await server.stop();
    },
    10_000,
  );
});
