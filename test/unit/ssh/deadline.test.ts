import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Deadline } from "../../../transport/ssh/deadline.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A limit of 10 s for each step of a login at l1. */
function limited() {
  let said: string | undefined;
  const deadline = new Deadline("l1", 10_000, ({ message }) => {
    said = message;
  });
  return { deadline, said: () => said };
}

test("each step of a login has its own limit, which says what was waited for", () => {
  const { deadline, said } = limited();
  deadline.step("the connection");
  vi.advanceTimersByTime(100);
  deadline.step("the key exchange");
  vi.advanceTimersByTime(9900);
  expect(said()).toBeUndefined();
  vi.advanceTimersByTime(200);
  expect(said()).toBe("l1 didn't answer within 10 s (waiting for the key exchange)");
});

test("a step that took long gives those behind it four times as long, the limit at least", () => {
  const { deadline, said } = limited();
  deadline.step("the connection");
  vi.advanceTimersByTime(7000);
  deadline.step("the key exchange");
  vi.advanceTimersByTime(2000);
  deadline.step("the login");
  vi.advanceTimersByTime(27_900);
  expect(said()).toBeUndefined();
  vi.advanceTimersByTime(200);
  expect(said()).toBe("l1 didn't answer within 28 s (waiting for the login)");
});

test("what the operator thinks says nothing of the line, and is not limited", async () => {
  const { deadline, said } = limited();
  deadline.step("the key exchange");
  await deadline.paused(async () => void vi.advanceTimersByTime(60_000));
  expect(said()).toBeUndefined();
  deadline.step("the login");
  vi.advanceTimersByTime(10_100);
  expect(said()).toBe("l1 didn't answer within 10 s (waiting for the login)");
});

test("a deadline that has ended, or without a limit, never expires", () => {
  const { deadline, said } = limited();
  deadline.step("the login");
  deadline.end();
  const never = vi.fn();
  new Deadline("l1", 0, never).step("the connection");
  vi.advanceTimersByTime(1e9);
  expect(said()).toBeUndefined();
  expect(never).not.toHaveBeenCalled();
});
