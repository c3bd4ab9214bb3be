import { describe, expect, it } from "vitest";
import {
  allFailed,
  DeadWays,
  type FailedWay,
  namesOf,
  nextWay,
} from "../../../engine/controller/route/next-way.js";
import { localHop } from "../../../engine/controller/route/routes.js";
import type { Way } from "../../../engine/controller/route/ways.js";
import { type ErrorName, MopError } from "../../../transport/errors.js";

const way = (names: string, skipped: readonly string[] = []): Way => ({
  hops: names.split(" ").map((name) => localHop(name, undefined)),
  skipped,
});
const failed = (one: Way, at: string, code: ErrorName): FailedWay => ({
  way: one,
  at,
  error: new MopError(code, `${at}: it failed`),
});
const followUp = (ways: readonly Way[], ...failures: FailedWay[]) => {
  const next = nextWay(ways, failures, new DeadWays());
  return next && namesOf(next).join(" ");
};

describe("the way that is tried next", () => {
  const [first, second, third, fourth] = ["b1 b2 l1", "b1 alt2 l1", "alt1 b2 l1", "alt1 alt2 l1"].map((one) =>
    way(one),
  );
  const four = [first!, second!, third!, fourth!];

  it("avoids the alternative that failed, whatever it failed of", () => {
    for (const code of [
      "CONNECT_REFUSED",
      "AUTH_REFUSED",
      "HOST_KEY_CHANGED",
      "NO_NODE",
      "LINK_LOST",
    ] as const) {
      expect(followUp(four, failed(first!, "b1", code))).toBe("alt1 b2 l1");
      expect(followUp(four, failed(first!, "b2", code))).toBe("b1 alt2 l1");
    }
  });
  it("leads from elsewhere to a host that the one before could not reach", () => {
    expect(followUp([way("b1 l1"), way("alt1 l1")], failed(way("b1 l1"), "l1", "CONNECT_UNREACHABLE"))).toBe(
      "alt1 l1",
    );
    expect(followUp([first!, third!], failed(first!, "b2", "CONNECT_TIMEOUT"))).toBe("alt1 b2 l1");
  });
  it("is none where the host itself refused", () => {
    for (const code of [
      "AUTH_REFUSED",
      "HOST_KEY_CHANGED",
      "NO_NODE",
      "BECOME_REFUSED",
      "BOOT_FAILED",
    ] as const)
      expect(followUp(four, failed(first!, "l1", code))).toBeUndefined();
  });
  it("is none where the last bastion is the same and could not reach the host", () => {
    expect(followUp([first!, third!], failed(first!, "l1", "CONNECT_TIMEOUT"))).toBeUndefined();
  });
  it("is none after a run was cancelled", () => {
    expect(followUp(four, failed(first!, "b1", "CANCELLED"))).toBeUndefined();
  });
  it("goes through the hop where another host answered when it was left out", () => {
    const ways = [way("l1", ["b1"]), way("b1 l1")];
    for (const code of ["CONNECT_TIMEOUT", "HOST_KEY_UNKNOWN", "HOST_KEY_CHANGED", "SSH_PROTOCOL"] as const)
      expect(followUp(ways, failed(ways[0]!, "l1", code))).toBe("b1 l1");
    expect(followUp(ways, failed(ways[0]!, "l1", "AUTH_REFUSED"))).toBeUndefined();
  });
  it("is last the one of which a part was found dead, by this host or another one", () => {
    const dead = new DeadWays();
    dead.note(failed(way("b1 b2 l9"), "b1", "CONNECT_TIMEOUT"));
    expect(namesOf(nextWay(four, [], dead)!)).toEqual(["alt1", "b2", "l1"]);
    dead.note(failed(way("alt1 l9"), "alt1", "LINK_LOST"));
    expect(namesOf(nextWay(four, [], dead)!)).toEqual(["b1", "b2", "l1"]);
  });
  it("leaves no hop out any more where that showed of another host that we are outside", () => {
    const ways = [way("l1", ["b1"]), way("b1 l1")];
    for (const [code, expected] of [
      ["CONNECT_TIMEOUT", "b1 l1"],
      ["HOST_KEY_UNKNOWN", "b1 l1"],
      ["CONNECT_REFUSED", "l1"],
      ["AUTH_REFUSED", "l1"],
    ] as const) {
      const dead = new DeadWays();
      dead.note(failed(way("l9", ["b1"]), "l9", code));
      expect(namesOf(nextWay(ways, [], dead)!).join(" "), code).toBe(expected);
    }
  });
  it("is told with all others in one sentence when none leads there", () => {
    const failures = [
      failed(way("b1 l1"), "b1", "CONNECT_REFUSED"),
      failed(way("alt1 l1"), "l1", "CONNECT_TIMEOUT"),
    ];
    expect(allFailed("l1", failures)).toMatchObject({
      code: "CONNECT_TIMEOUT",
      message:
        "none of the 2 ways that were tried leads to l1 (over b1: b1: it failed; over alt1: it failed)",
    });
    expect(allFailed("l1", failures.slice(0, 1)).message).toBe("b1: it failed");
  });
});
