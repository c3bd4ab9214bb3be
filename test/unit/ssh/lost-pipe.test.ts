import { Duplex } from "node:stream";
import { expect, it } from "vitest";
import { MopError } from "../../../transport/errors.js";
import { createLogin } from "../../../transport/ssh/login.js";
import type { Target } from "../../../transport/ssh/types.js";

const target: Target = {
  name: "l1",
  address: "l1",
  port: 22,
  user: "me",
  identityFiles: [],
  identitiesOnly: true,
  knownHostsFiles: [],
  hostKeys: "strict",
  connectTimeoutMs: 1000,
  keepaliveMs: 0,
};
const ended = (error?: Error) => async () => {
  const pipe = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  pipe.on("error", () => {}).destroy(error);
  // What it has to say of that is said before anybody listens
  await new Promise((resolve) => setTimeout(resolve, 20));
  return pipe;
};

it("a login over a pipe that was lost while keys were read fails at once with what ended it", async () => {
  const lost = new MopError("LINK_LOST", "b1 is gone");
  await expect(createLogin()(ended(lost), target, { pace: "plain" })).rejects.toMatchObject({
    code: "LINK_LOST",
  });
  await expect(createLogin()(ended(), target, { pace: "eager" })).rejects.toMatchObject({
    code: "SSH_DISCONNECTED",
    message: "the connection to l1 ended before its SSH identification: the connection was closed",
  });
});
