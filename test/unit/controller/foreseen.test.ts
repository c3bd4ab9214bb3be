import { expect, test } from "vitest";
import { Foreseen } from "../../../engine/controller/run/foreseen.js";

const PLAIN = 5;
const ROOT = 6;

test("the first role of a check is told nothing of others", () => {
  expect(new Foreseen().before(PLAIN, false)).toEqual({});
});

test("a role that follows on the same node goes on from what that node kept", () => {
  const host = new Foreseen();
  host.planned(PLAIN, false);
  host.looked(PLAIN, false);
  expect(host.before(PLAIN, false)).toEqual({ follows: true });
});

test("a role as another user is told that there is more than its node knows of, and both are from then on", () => {
  const host = new Foreseen();
  host.planned(PLAIN, false);
  host.looked(PLAIN, false);
  expect(host.before(ROOT, false)).toEqual({ unsure: true });
  host.planned(ROOT, false);
  host.looked(ROOT, false);
  expect(host.before(ROOT, false)).toEqual({ follows: true, unsure: true });
  expect(host.before(PLAIN, false)).toEqual({ follows: true, unsure: true });
});

test("another user's role that changes nothing leaves no doubt", () => {
  const host = new Foreseen();
  host.looked(ROOT, false);
  expect(host.before(PLAIN, false)).toEqual({});
  host.looked(PLAIN, false);
  expect(host.before(ROOT, false)).toEqual({ follows: true });
});

test("what was delegated to a host is not what its own roles go on from", () => {
  const host = new Foreseen();
  host.planned(PLAIN, false);
  host.looked(PLAIN, false);
  expect(host.before(PLAIN, true)).toEqual({ unsure: true });
  host.planned(PLAIN, true);
  host.looked(PLAIN, true);
  expect(host.before(PLAIN, false)).toEqual({ unsure: true });
});
