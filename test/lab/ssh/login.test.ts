import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import type { Duplex } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLogin } from "../../../transport/ssh/login.js";
import { dialSocket } from "../../../transport/ssh/tcp.js";
import type { SshSession } from "../../../transport/ssh/types.js";
import {
  dropbearMissing,
  type RealServer,
  sshdMissing,
  startDropbear,
  startSshd,
} from "../../support/real-sshd.js";
import { commandOver, targetOf } from "../../support/ssh-target.js";

const silent = () => {};
const pipeTo = (server: RealServer) => () => dialSocket(server.address, server.port, 5000);

const servers = [
  ["OpenSSH", sshdMissing, startSshd],
  ["Dropbear", dropbearMissing, startDropbear],
] as const;

for (const [name, missing, start] of servers) {
  describe.skipIf(missing)(`${name}${missing ? ` (skipped: ${missing})` : ""}`, () => {
    let server: RealServer;
    let session: SshSession;
    beforeAll(async () => {
      server = await start();
      session = await createLogin()(pipeTo(server), targetOf(server), { pace: "plain" });
    });
    afterAll(async () => {
      session?.close();
      await server?.stop();
    });

    it("a command's output, its stderr and its end arrive", async () => {
      const errors: Buffer[] = [];
      const pipe = await session.exec("cat; echo oops >&2", (chunk) => errors.push(chunk));
      const over = commandOver(pipe);
      pipe.end("hello");
      expect(await text(pipe)).toBe("hello");
      await over;
      expect(Buffer.concat(errors).toString()).toBe("oops\n");
    });

    it("8 MB come back as they were sent, through a reader that stalls", async () => {
      const pipe = await session.exec("cat", silent);
      const sent = Buffer.alloc(8e6, "0123456789abcdef!");
      pipe.end(sent);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect((await buffer(pipe)).equals(sent)).toBe(true);
    });

    it("a forwarded connection carries both directions and half-closes", async () => {
      const echo = net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
      echo.listen(0, "127.0.0.1");
      await once(echo, "listening");
      const pipe = await session.forward("127.0.0.1", (echo.address() as net.AddressInfo).port);
      pipe.end("over there");
      expect(await text(pipe)).toBe("over there");
      echo.close();
    });

    it("forwarding to a closed port is CONNECT_UNREACHABLE: the server was willing", async () => {
      await expect(session.forward("127.0.0.1", 1)).rejects.toMatchObject({ code: "CONNECT_UNREACHABLE" });
    });

    it("a key that isn't authorized is refused with user, methods and key named", async () => {
      const other = await start({ userKeys: [{ kind: "ed25519", refused: true }] });
      try {
        const login = createLogin()(pipeTo(other), targetOf(other), { pace: "plain" });
        await expect(login).rejects.toMatchObject({ code: "AUTH_REFUSED" });
        await expect(login).rejects.toThrow(new RegExp(`${other.user}.*user0.*publickey`));
      } finally {
        await other.stop();
      }
    });

    it("a session inside a forwarded connection works end to end", async () => {
      const open = (): Promise<Duplex> => session.forward(server.address, server.port);
      const inner = await createLogin()(open, targetOf(server), { pace: "plain" });
      expect(await text((await inner.exec("echo inside", silent)).end())).toBe("inside\n");
      inner.close();
      expect(await inner.closed).toBeUndefined();
    });

    it("a changed host key ends the login before anything of it is sent", async () => {
      const wrong = path.join(server.folder, "wrong_known_hosts");
      const lines = readFileSync(server.knownHostsFile, "utf8");
      const [host, type, key] = lines.split(" ");
      const other = Buffer.from(key!, "base64");
      other[other.length - 1]! ^= 1;
      writeFileSync(wrong, `# one line before\n${host} ${type} ${other.toString("base64")}\n`);
      const target = { ...targetOf(server), knownHostsFiles: [wrong] };
      const before = server.log().length;
      const login = createLogin()(pipeTo(server), target, { pace: "plain" });
      await expect(login).rejects.toMatchObject({ code: "HOST_KEY_CHANGED" });
      await expect(login).rejects.toThrow(`${wrong}, line 2`);
      expect(server.log().slice(before)).not.toMatch(/Accepted|publickey|auth attempt/i);
    });
  });
}
