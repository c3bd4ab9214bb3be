import { once } from "node:events";
import net from "node:net";
import { finished } from "node:stream/promises";
import { afterEach, describe, expect, it } from "vitest";
import { MopError } from "../../../transport/errors.js";
import { createLogin } from "../../../transport/ssh/login.js";
import { dialSocket } from "../../../transport/ssh/tcp.js";
import type { LoginOptions, Target } from "../../../transport/ssh/types.js";
import { createDelayProxy } from "../../support/lab.js";
import { libraryTarget, startLibrary } from "../../support/ssh2-server.js";

const PACES = ["plain", "conformant", "eager"] as const;
const silent = () => {};
const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const TARGET: Target = {
  name: "odd",
  address: "127.0.0.1",
  port: 0,
  user: "someone",
  identityFiles: [],
  identitiesOnly: true,
  knownHostsFiles: [],
  hostKeys: "off",
  connectTimeoutMs: 20_000,
  keepaliveMs: 0,
};

/** A server that says this to each connection and reads on; undefined: hangs up at once. */
async function saying(text: string | Buffer | undefined) {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", silent).resume();
    if (text === undefined) socket.end();
    else socket.write(text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return () => dialSocket("127.0.0.1", port, 5000);
}

async function library(more: Partial<Target> = {}, options: Partial<LoginOptions> = {}) {
  const server = await startLibrary({});
  cleanups.push(() => server.stop());
  const link = await createDelayProxy({ target: { host: server.address, port: server.port } });
  cleanups.push(() => link.close());
  const enter = (then: Partial<LoginOptions> = options) =>
    createLogin()(() => dialSocket(link.host, link.port, 5000), libraryTarget(server, more), {
      pace: "plain",
      ...then,
    });
  return { link, enter, server };
}

describe.each(PACES)("a %s login", (pace) => {
  it("tells once of a connection that failed while known hosts and keys were still being read", async () => {
    const strays: unknown[] = [];
    const stray = (error: unknown) => void strays.push(error);
    process.on("unhandledRejection", stray);
    cleanups.push(() => process.off("unhandledRejection", stray));
    const refused = new MopError("CONNECT_REFUSED", "nobody listens");
    const target = { ...TARGET, hostKeys: "strict", knownHostsFiles: ["/nowhere/known_hosts"] } as const;
    const login = createLogin()(() => Promise.reject(refused), target, { pace });
    await expect(login).rejects.toBe(refused);
    await new Promise(setImmediate);
    expect(strays).toEqual([]);
  });

  it.each([
    ["something else than SSH", `HTTP/1.1 400 Bad Request\r\n${"x".repeat(10_000)}`, "SSH_PROTOCOL"],
    ["lines without end before its identification", "\n".repeat(2000), "SSH_PROTOCOL"],
    ["another version of SSH", "SSH-1.5-old\r\n", "SSH_PROTOCOL"],
    [
      "a packet that is too long",
      Buffer.concat([Buffer.from("SSH-2.0-x\r\n"), Buffer.alloc(64, 255)]),
      "SSH_PROTOCOL",
    ],
    [
      "a packet that is too short",
      Buffer.concat([Buffer.from("SSH-2.0-x\r\n"), Buffer.alloc(64)]),
      "SSH_PROTOCOL",
    ],
    [
      "a packet of noise",
      Buffer.concat([Buffer.from("SSH-2.0-x\r\n"), Buffer.of(0, 0, 0, 60, 4, 20), Buffer.alloc(58, 170)]),
      "SSH_PROTOCOL",
    ],
    ["nothing and hangs up", undefined, "SSH_DISCONNECTED"],
  ])("to a server that says %s fails with its code and name", async (_name, text, code) => {
    const login = createLogin()(await saying(text), TARGET, { pace });
    await expect(login).rejects.toMatchObject({ name: "MopError", code });
    await expect(login).rejects.toThrow(/odd/);
  });

  it("to a server that says nothing ends with CONNECT_TIMEOUT, which says what was waited for", async () => {
    const login = createLogin()(await saying(""), { ...TARGET, connectTimeoutMs: 200 }, { pace });
    await expect(login).rejects.toMatchObject({ code: "CONNECT_TIMEOUT" });
    await expect(login).rejects.toThrow("odd didn't answer within 0.2 s (waiting for the key exchange)");
  });

  it("is CANCELLED by its signal", async () => {
    const abort = new AbortController();
    const login = createLogin()(await saying(""), TARGET, { pace, signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await expect(login).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(
      createLogin()(await saying(""), TARGET, { pace, signal: abort.signal }),
    ).rejects.toMatchObject({
      code: "CANCELLED",
    });
  });

  it("over a pipe that can't be opened fails with the pipe's own error", async () => {
    const login = createLogin()(() => dialSocket("127.0.0.1", 1, 1000), TARGET, { pace });
    await expect(login).rejects.toMatchObject({ code: "CONNECT_REFUSED" });
  });
});

describe("a session", () => {
  it("over a link that swallows everything ends by keepalive", async () => {
    const { link, enter } = await library({ keepaliveMs: 100 });
    const session = await enter();
    link.blackHole(true);
    const reason = await session.closed;
    expect(reason).toMatchObject({ code: "SSH_DISCONNECTED" });
    expect(reason?.message).toBe("library doesn't answer any more (keepalive)");
  });

  it("over a link that breaks ends with SSH_DISCONNECTED, and its commands with it", async () => {
    const { link, enter } = await library();
    const session = await enter();
    const pipe = await session.exec("cat", silent);
    pipe.write("x");
    await once(pipe, "data");
    const over = finished(pipe).then(silent, (error: unknown) => error);
    link.cut();
    expect(await session.closed).toMatchObject({ code: "SSH_DISCONNECTED" });
    expect(await over).toMatchObject({ code: "SSH_DISCONNECTED" });
    await expect(session.exec("cat", silent)).rejects.toMatchObject({ code: "SSH_DISCONNECTED" });
  });

  it("isn't timed while the operator thinks", async () => {
    const server = await startLibrary({
      authenticate: (context) =>
        context.method === "password" ? context.accept() : context.reject(["password"]),
    });
    cleanups.push(() => server.stop());
    const target = libraryTarget(server, { identityFiles: [], connectTimeoutMs: 2000 });
    const session = await createLogin()(() => dialSocket(server.address, server.port, 5000), target, {
      pace: "plain",
      prompter: {
        passphrase: async () => undefined,
        password: () => new Promise((resolve) => setTimeout(resolve, 2500, "slowly typed")),
      },
    });
    session.close();
    expect(await session.closed).toBeUndefined();
  });
});
