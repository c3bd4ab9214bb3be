import { setMaxListeners } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createDoors, createPatience } from "../../../relay/mesh/doors.js";
import { type ErrorName, MopError } from "../../../transport/errors.js";
import type { Target } from "../../../transport/ssh/types.js";

const never = new AbortController().signal;
setMaxListeners(0, never);
const at = (address: string) => ({ address, port: 22 }) as Target;

/** How many of those who ask for a turn have it by now. */
function asking(enter: () => Promise<unknown>, count: number) {
  let inside = 0;
  for (let i = 0; i < count; i++) void enter().then(() => inside++);
  return async () => {
    await new Promise(setImmediate);
    return inside;
  };
}

test("8 log in at one server at a time, which keeps nobody from another; 16 dial from one host", async () => {
  const doors = createDoors();
  const busy = asking(() => doors.enter(undefined, at("busy"), never), 40);
  expect(await busy()).toBe(8);
  const others = Array.from({ length: 20 }, (_, i) =>
    asking(() => doors.enter(undefined, at(`h${i}`), never), 1),
  );
  const inside = await Promise.all(others.map((other) => other()));
  expect(inside.reduce((sum, one) => sum + one)).toBe(8);
});

test("a login whose dial is done makes room for dials, not for logins at its server", async () => {
  const doors = createDoors(2);
  const first = await doors.enter(undefined, at("a"), never);
  for (let i = 1; i < 8; i++) (await doors.enter(undefined, at("a"), never)).dialled();
  first.dialled();
  const same = asking(() => doors.enter(undefined, at("a"), never), 1);
  const other = asking(() => doors.enter(undefined, at("b"), never), 1);
  expect([await same(), await other()]).toEqual([0, 1]);
  first.leave();
  expect(await same()).toBe(1);
});

test("a turn that is cancelled while it waits takes no room", async () => {
  const doors = createDoors(1);
  const { leave } = await doors.enter(undefined, at("a"), never);
  const abort = new AbortController();
  const waiting = doors.enter(undefined, at("b"), abort.signal);
  abort.abort();
  await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
  leave();
  for (let i = 0; i < 8; i++) (await doors.enter(undefined, at("b"), never)).dialled();
});

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("a dropped login pauses twice as long each time, spread by half, and gives up after six times", async () => {
  const patience = createPatience(never);
  const dropped = new MopError("SSH_DISCONNECTED", "the connection was closed");
  for (const mean of [500, 1000, 2000, 4000, 8000, 8000]) {
    let due: boolean | undefined;
    const again = patience.again(dropped, 22).then((answer) => {
      due = answer;
    });
    await vi.advanceTimersByTimeAsync(mean / 2 - 1);
    expect(due, `${mean} ms`).toBeUndefined();
    await vi.advanceTimersByTimeAsync(mean + 2);
    await again;
    expect(due).toBe(true);
  }
  const last = patience.again(dropped, 0);
  await expect(last).rejects.toMatchObject({ code: "SSH_DISCONNECTED" });
  await expect(last).rejects.toThrow(/^the connection was closed \(7 times: /);
});

test.each<[ErrorName, number | undefined]>([
  ["AUTH_REFUSED", 1500],
  ["AUTH_REFUSED", 0],
  ["HOST_KEY_CHANGED", 700],
  ["HOST_KEY_UNKNOWN", 700],
  ["CONNECT_REFUSED", 0],
  ["CONNECT_TIMEOUT", 0],
  ["SSH_DISCONNECTED", 100],
  ["SSH_PROTOCOL", 2000],
  ["SSH_DISCONNECTED", undefined],
])("%s after %s bytes is no drop: it isn't tried again", async (code, received) => {
  expect(await createPatience(never).again(new MopError(code, "no"), received)).toBe(false);
});
