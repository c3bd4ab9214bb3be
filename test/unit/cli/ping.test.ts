import { expect, test } from "vitest";
import { pingLine } from "../../../cli/output/ping.js";
import { createStyle } from "../../../cli/output/style.js";

const plain = createStyle(false);
const hop = (from: string, to: string, ms: number) => ({ from, to, ms });
const route = ["b1", "b2", "l1"];

test("a ping tells the whole route, with the round trip of each hop", () => {
  const hops = [hop("controller", "b1", 180.6), hop("b1", "b2", 0.42), hop("b2", "l1", 0)];
  expect(pingLine({ event: "ping", host: "l1", route, hops }, plain)).toBe(
    "  l1  b1 181 ms > b2 0.4 ms > l1 0.0 ms",
  );
});

test("a jump, which nobody answers on, is told as a part of the route", () => {
  const hops = [hop("controller", "b2", 181), hop("b2", "l1", 0.5)];
  const line = "  l1  b1 > b2 181 ms > l1 0.5 ms";
  expect(pingLine({ event: "ping", host: "l1", route, hops }, plain)).toBe(line);
  const tried = { event: "route", host: "l1", route, possible: true, hops } as const;
  expect(pingLine({ ...tried, planned: true }, plain)).toBe(line);
  expect(pingLine({ ...tried, planned: false }, plain)).toBe(`${line} (also possible: see mop_optional)`);
});

test("a route that leads nowhere is told with the reason", () => {
  const event = {
    event: "route",
    host: "l1",
    route,
    planned: true,
    possible: false,
    reason: "no\u001b",
  } as const;
  expect(pingLine(event, plain)).toBe("  l1  b1 > b2 > l1: no\\x1b");
});
