import { Duplex } from "node:stream";
import { expect, it, vi } from "vitest";
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

// A server that drops those who are too many, behind a bastion that forwards: it is tried again
it("a login whose channel through another server is closed while it writes has lost its connection", async () => {
  const closed = new MopError("CHANNEL_CLOSED", "the other side closed the channel");
  await expect(createLogin()(ended(closed), target, { pace: "eager" })).rejects.toMatchObject({
    code: "SSH_DISCONNECTED",
    message: "the connection to l1 ended before its SSH identification: the other side closed the channel",
  });
});

/** Destroys the pipe after so many turns of the event loop from its opening on. */
const lostAfter = (turns: number, turn: (act: () => void) => unknown) => async () => {
  const pipe = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const wait = (left: number) => {
    if (left === 0) pipe.destroy(new MopError("LINK_LOST", "b1 is gone"));
    else turn(() => wait(left - 1));
  };
  wait(turns);
  return pipe;
};

// Between the client's first bytes and what it does next lie some turns; what is thrown there would end the whole process.
it.each([
  ["turns of the event loop", setImmediate],
  ["ticks", process.nextTick],
] as const)(
  "a login over a pipe that is lost after any number of %s fails with what ended it",
  async (_what, turn) => {
    for (const pace of ["plain", "eager"] as const)
      for (let turns = 0; turns < 30; turns++)
        await expect(
          createLogin()(lostAfter(turns, turn), target, { pace }),
          `${turns}`,
        ).rejects.toMatchObject({
          code: "LINK_LOST",
        });
  },
);

it("a pipe that is there only when the login was given up is closed", async () => {
  let open: (pipe: Duplex) => void = () => {};
  const opening = new Promise<Duplex>((resolve) => {
    open = resolve;
  });
  await expect(
    createLogin()(() => opening, { ...target, connectTimeoutMs: 20 }, { pace: "plain" }),
  ).rejects.toMatchObject({ code: "CONNECT_TIMEOUT" });
  const pipe = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  open(pipe);
  await vi.waitFor(() => expect(pipe.destroyed).toBe(true));
});
