import { expect, test } from "vitest";
import { openPipeChannel } from "../../../relay/mesh/pipe-channel.js";
import { readAdoptOrder } from "../../../relay/node/read-orders.js";
import type { AdoptOrder } from "../../../relay/orders.js";
import { encodeSessionState } from "../../../relay/session/state.js";
import { MopError } from "../../../transport/errors.js";
import type { SessionState } from "../../../transport/session-state.js";
import type { Channel, Endpoint, Value } from "../../../transport/types.js";
import { encodeValue } from "../../../transport/wire/value.js";
import { freshState } from "../../support/session-peer.js";

const child = {
  id: 2,
  name: "l1",
  nonce: "5eed",
  title: "mop relay of alice@laptop, run 3f2a",
  run: "3f2a",
  heartbeatMs: 2000,
  deadAfterMs: 8000,
  bootTimeoutMs: 30_000,
};
const orderOf = (session: Value, over = {}): Buffer =>
  encodeValue({ type: "adopt", session, command: "true", child, ...over });
const secretsOf = ({ outbound, inbound }: SessionState) =>
  [outbound, inbound]
    .flatMap(({ key, iv, macKey }) => [key, iv, macKey ?? key])
    .map((one) => Buffer.from(one));

test("a session's keys are taken out of their message, which is overwritten", () => {
  const state = freshState(["aes256-ctr", "hmac-sha2-512-etm@openssh.com"]);
  const expected = secretsOf(state);
  const message = orderOf(encodeSessionState(state));
  for (const secret of expected) expect(message.includes(secret)).toBe(true);
  const { session } = readAdoptOrder(message);
  expect(secretsOf(session)).toEqual(expected);
  expect(message.every((byte) => byte === 0)).toBe(true);
});

test("a message that is refused is overwritten too", () => {
  const refused = [
    orderOf(encodeSessionState(freshState()), { command: 7 }),
    orderOf({ ...(encodeSessionState(freshState()) as object), version: 2 }),
    orderOf(encodeSessionState(freshState()), { type: "exec" }),
    Buffer.from("ff00", "hex"),
  ];
  for (const message of refused) {
    expect(() => readAdoptOrder(message)).toThrow(MopError);
    expect(message.every((byte) => byte === 0)).toBe(true);
  }
});

test("the controller overwrites the keys of the session, and the message when it left", async () => {
  let message: Uint8Array | undefined;
  let left: () => void = () => {};
  const channel: Partial<Channel> = {
    receive: async function* () {},
    write: async () => {},
    reset: () => {},
    closed: new Promise(() => {}),
    control(body) {
      message = body;
      return new Promise((resolve) => {
        left = resolve;
      });
    },
  };
  const endpoint = { open: () => channel } as unknown as Endpoint;
  const order = { host: "192.0.2.1", port: 22, connectTimeoutMs: 0, keep: true };
  const pipe = openPipeChannel(endpoint, 1, order);
  const session = freshState();
  const [key] = secretsOf(session);
  const adopting = pipe.adopt(
    { type: "adopt", session, command: "true", child, elevation: null } satisfies AdoptOrder,
    () => {},
  );
  await expect.poll(() => message?.length ?? 0).toBeGreaterThan(100);
  expect(Buffer.from(message!).includes(key!)).toBe(true);
  for (const secret of secretsOf(session)) expect(secret.every((byte) => byte === 0)).toBe(true);
  left();
  await adopting;
  expect(message!.every((byte) => byte === 0)).toBe(true);
});
