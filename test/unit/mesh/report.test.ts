import { expect, test } from "vitest";
import type { Place } from "../../../relay/mesh/place.js";
import { linkReports, pingRoute } from "../../../relay/mesh/report.js";
import type { Endpoint, Value } from "../../../transport/types.js";

/** b1, reached by the controller itself, and l1 behind it. */
const b1 = { id: 1, name: "b1", linkTo: 0, parent: undefined, way: undefined } as unknown as Place;
const l1 = { id: 2, name: "l1", linkTo: 1, parent: b1, way: undefined } as unknown as Place;
const answering = (answer: Value) =>
  ({ counters: () => [], call: async () => answer, ping: async () => 3 }) as unknown as Endpoint;

test.each<[string, Value]>([
  ["nothing", null],
  ["a text", "links"],
  ["links that are none", { links: 7 }],
  ["links without content", { links: [null, 1, "x", [], {}] }],
  ["links of others", { links: [{ child: 9, sent: 1, received: 1 }] }],
])("a relay that says %s of its links spoils no report", async (_what, answer) => {
  expect(await linkReports(answering(answer), [b1, l1])).toEqual([]);
});

test("a relay's numbers are amounts or 0", async () => {
  const links = [{ child: 2, sent: Number.NaN, received: -5 }];
  expect(await linkReports(answering({ links }), [b1, l1])).toEqual([
    { from: "b1", to: "l1", sent: 0, received: 0 },
  ]);
  const good = { links: [{ child: 2, sent: 10, received: 20 }] };
  expect(await linkReports(answering(good), [b1, l1])).toEqual([
    { from: "b1", to: "l1", sent: 10, received: 20 },
  ]);
});

test.each<Value>([null, "1", Number.NaN, -1, Number.POSITIVE_INFINITY])(
  "a ping that is answered with %j is PROTOCOL",
  async (answer) => {
    await expect(pingRoute(answering(answer), l1)).rejects.toMatchObject({ code: "PROTOCOL" });
  },
);
