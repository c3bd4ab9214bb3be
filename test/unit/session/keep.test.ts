import { expect, test } from "vitest";
import { createKept, HANDOFF_KEEP_MAX } from "../../../relay/node/keep.js";
import { bytesInUse } from "../../support/memory.js";

const refused = expect.objectContaining({ code: "HANDOFF_REFUSED" });

test("a pipe gives a session the bytes that it has not consumed, once", () => {
  const kept = createKept(true);
  kept.add(Buffer.from("abc"));
  kept.add(Buffer.from("def"));
  expect(kept.take(2).toString()).toBe("cdef");
  expect(() => kept.take(2)).toThrow(refused);
});

test("it refuses a session that has consumed more than came, and where nothing was to be kept", () => {
  const kept = createKept(true);
  kept.add(Buffer.from("abc"));
  expect(() => kept.take(4)).toThrow(refused);
  expect(() => createKept(false).take(0)).toThrow(refused);
});

test("a server that says more than 1 MiB before the hand-off is kept no more", () => {
  const kept = createKept(true);
  kept.add(Buffer.alloc(HANDOFF_KEEP_MAX));
  const whole = createKept(true);
  whole.add(Buffer.alloc(HANDOFF_KEEP_MAX));
  expect(whole.take(0)).toHaveLength(HANDOFF_KEEP_MAX);
  const before = bytesInUse();
  for (let i = 0; i < 64; i++) kept.add(Buffer.alloc(1 << 20));
  expect(bytesInUse() - before).toBeLessThan(8 << 20);
  expect(() => kept.take(0)).toThrow(refused);
});
