import { expect, test } from "vitest";
import { Queue } from "../../../engine/leaf/role/queue.js";

const soon = () => new Promise((resolve) => setImmediate(resolve));

test("tasks run one at a time in the order in which they were added", async () => {
  const queue = new Queue();
  const log: string[] = [];
  const task = (name: string) => async () => {
    log.push(`${name} begins`);
    await soon();
    log.push(`${name} ends`);
    return name;
  };
  expect(await Promise.all([queue.add(task("a")), queue.add(task("b"))])).toEqual(["a", "b"]);
  expect(log).toEqual(["a begins", "a ends", "b begins", "b ends"]);
});

test("drain waits for what nobody waits for, and for what that adds", async () => {
  const queue = new Queue();
  const log: string[] = [];
  void queue
    .add(async () => void log.push("first"))
    .then(() => queue.add(async () => void log.push("second")));
  await queue.drain();
  expect(log).toEqual(["first", "second"]);
});

test("drain throws the first failure that nobody waited for", async () => {
  const queue = new Queue();
  const fail = (message: string) => async () => {
    throw new Error(message);
  };
  await expect(queue.add(fail("awaited"))).rejects.toThrow("awaited");
  void queue.add(fail("lost"));
  void queue.add(fail("lost too"));
  await expect(queue.drain()).rejects.toThrow(/^lost$/);
});

test.each([
  ["await", (promise: Promise<void>) => (async () => await promise)()],
  ["Promise.all", (promise: Promise<void>) => Promise.all([promise])],
  ["then", (promise: Promise<void>) => promise.then(() => undefined)],
  ["finally", (promise: Promise<void>) => promise.finally(() => undefined)],
])("a failure that somebody waits for with %s is theirs alone", async (_how, wait) => {
  const queue = new Queue();
  const failing = queue.add(async (): Promise<void> => {
    throw new Error("told");
  });
  await expect(wait(failing)).rejects.toThrow("told");
  await queue.drain();
});

test("a failure's witness can close the queue before the next task starts", async () => {
  const queue = new Queue();
  let ran = false;
  const first = queue.add(async () => {
    throw new Error("stop");
  });
  const second = queue.add(async () => {
    ran = true;
  });
  await first.catch(() => queue.close(new Error("the role has ended")));
  await expect(second).rejects.toThrow("the role has ended");
  expect(ran).toBe(false);
});

test("close waits for the task that runs", async () => {
  const queue = new Queue();
  let ended = false;
  void queue.add(async () => {
    await soon();
    ended = true;
  });
  await Promise.resolve();
  await Promise.resolve();
  await queue.close(new Error("over"));
  expect(ended).toBe(true);
  await expect(queue.add(async () => 1)).rejects.toThrow("over");
});
