import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLogin } from "../../../transport/ssh/login.js";
import { dialSocket } from "../../../transport/ssh/tcp.js";
import type { Target } from "../../../transport/ssh/types.js";

/** A server that resets each connection, in a thread of its own: it goes on while this one gets no time. */
const SERVER = `
  const server = require("node:net").createServer((socket) => socket.resetAndDestroy());
  server.listen(0, "127.0.0.1", () => require("node:worker_threads").parentPort.postMessage(server.address().port));
`;
const cell = new Int32Array(new SharedArrayBuffer(4));
let server: Worker;
let port: number;
beforeAll(async () => {
  server = new Worker(SERVER, { eval: true });
  [port] = await once(server, "message");
});
afterAll(() => server.terminate());

// As sshd does with those who are too many at their login (MaxStartups): it is tried again
it.each([
  ["after", 0],
  ["before", 300],
])("a connection that is reset %s it was seen to stand has ended, with nothing said", async (_when, ms) => {
  const target: Target = {
    name: "b1",
    address: "127.0.0.1",
    port,
    user: "me",
    identityFiles: [],
    identitiesOnly: true,
    knownHostsFiles: [],
    hostKeys: "strict",
    connectTimeoutMs: 10_000,
    keepaliveMs: 0,
  };
  let received: number | undefined;
  const open = async () => {
    const dialling = dialSocket("127.0.0.1", port, 10_000);
    if (ms > 0) process.nextTick(() => Atomics.wait(cell, 0, 0, ms));
    const socket = await dialling;
    received = socket.bytesRead;
    return socket;
  };
  await expect(createLogin()(open, target, { pace: "eager" })).rejects.toMatchObject({
    code: "SSH_DISCONNECTED",
    message: expect.stringMatching(/^the connection to b1 ended before its SSH identification: /),
  });
  expect(received).toBe(0);
});
