import { expect, test } from "vitest";
import { moment } from "../../../relay/mesh/limits.js";
import { heldUp } from "../../support/held-up.js";

test("moment() of a process that is held up for longer ends behind what came in meanwhile", async () => {
  const order: string[] = [];
  let over: Promise<unknown> = Promise.resolve();
  const begin = () => {
    over = moment().then(() => order.push("the moment"));
  };
  await heldUp(150, begin, "the reason", (bytes) => order.push(String(bytes)));
  await over;
  expect(order).toEqual(["the reason", "the moment"]);
});
