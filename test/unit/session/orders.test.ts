import { describe, expect, test } from "vitest";
import { openPipeChannel } from "../../../relay/mesh/pipe-channel.js";
import { readAdoptOrder, readSpawnOrder } from "../../../relay/node/read-orders.js";
import type { AdoptOrder } from "../../../relay/orders.js";
import { encodeSessionState } from "../../../relay/session/state.js";
import { MopError } from "../../../transport/errors.js";
import type { SessionState } from "../../../transport/session-state.js";
import type { Channel, Endpoint, Value } from "../../../transport/types.js";
import { encodeValue } from "../../../transport/wire/value.js";
import { mutate, type SeededRandom, seeded } from "../../support/session-mutations.js";
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
  bringer: "",
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
  const order = { host: "192.0.2.1", port: 22, connectTimeoutMs: 0, keep: true, through: 0 };
  const pipe = openPipeChannel(endpoint, { id: 1, name: "b1" }, order);
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

describe("an order to run a command", () => {
  const order = { type: "spawn", argv: ["docker", "exec", "-i", "web", "/bin/sh", "-c", ""], child };
  const read = (over: { readonly [key: string]: Value | undefined } = {}) =>
    readSpawnOrder(encodeValue({ ...order, ...over }));
  const secret = Buffer.from("geheim");

  test("is read as it was sent, and its message overwritten", () => {
    expect(read()).toEqual({ ...order, elevation: null });
    for (const sealed of [true, false]) {
      const message = encodeValue({ ...order, elevation: { secret, words: true, sealed } });
      expect(message.includes(secret)).toBe(true);
      expect(readSpawnOrder(message).elevation).toEqual({
        secret: new Uint8Array(secret),
        words: true,
        sealed,
      });
      expect(message.every((byte) => byte === 0)).toBe(true);
    }
  });

  test.each<[string, { readonly [key: string]: Value | undefined }]>([
    ["no command", { argv: undefined }],
    ["a line for a command", { argv: "docker exec" }],
    ["an empty command", { argv: [] }],
    ["a program without a name", { argv: ["", "x"] }],
    ["a word that is none", { argv: ["docker", 7] }],
    ["a word with a NUL", { argv: ["docker", "a\0b"] }],
    ["a word of 20 kB", { argv: ["docker", "x".repeat(20_000)] }],
    ["65 words", { argv: Array.from({ length: 65 }, () => "x") }],
    ["another type", { type: "adopt" }],
    ["no child", { child: null }],
    ["a nonce that is none", { child: { ...child, nonce: "$(id)" } }],
    ["the controller for a child", { child: { ...child, id: 0 } }],
    ["a password that is a text", { elevation: { secret: "geheim", words: true } }],
  ])("is refused with %s", (_what, over) => {
    expect(() => read(over)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  });

  test("is refused with a code or read as an order, however it was damaged, and always overwritten", () => {
    const random = seeded(4);
    let refused = 0;
    for (let i = 0; i < 3000; i++) {
      const whole = encodeValue(mutate({ ...order, elevation: { secret, words: false } }, random));
      const message = i % 2 === 0 ? whole : flipped(whole, random);
      try {
        const { argv } = readSpawnOrder(message);
        expect(argv[0]).not.toBe("");
        expect(argv.every((word) => typeof word === "string" && !word.includes("\0"))).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(MopError);
        expect((error as MopError).code).toMatch(/^(BAD_ARGUMENT|PROTOCOL)$/);
        refused++;
      }
      expect(message.every((byte) => byte === 0)).toBe(true);
    }
    expect(refused).toBeGreaterThan(1000);
  });
});

/** One bit of it is another, or its end is missing. */
function flipped(bytes: Buffer, random: SeededRandom): Buffer {
  if (random.int(2) === 0) return Buffer.from(bytes.subarray(0, random.int(bytes.length)));
  const copy = Buffer.from(bytes);
  copy[random.int(copy.length)]! ^= 1 << random.int(8);
  return copy;
}
