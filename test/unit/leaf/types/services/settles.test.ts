import { expect, test } from "vitest";
import type { TypeContext } from "../../../../../engine/leaf/type.js";
import type { ServiceProvider, ServiceState } from "../../../../../engine/leaf/types/services/provider.js";
import { service } from "../../../../../engine/leaf/types/services/service.js";

/** A service whose manager says one thing after the other, and the last one from then on. */
function managed(before: boolean, ...after: readonly Partial<ServiceState>[]) {
  const context = {
    diff: false,
    signal: new AbortController().signal,
    uncertain: () => false,
  } as unknown as TypeContext;
  let looks = 0;
  let acted = false;
  const provider = {
    name: "scripts",
    deeds: ["start", "stop"],
    suits: () => true,
    async look() {
      const state = { exists: true, running: before, enabled: false };
      if (!acted) return state;
      const said = after[Math.min(looks++, after.length - 1)];
      return { ...state, running: false, ...said };
    },
    async act() {
      acted = true;
    },
  } as ServiceProvider;
  const ask = async (started: boolean) =>
    (await service.plan(context, "shop", { started }, provider)).apply();
  return { ask, looks: () => looks };
}

const [UP, DOWN] = [{ running: true }, { running: false }];

test.each([
  ["started", false, DOWN, UP],
  ["stopped", true, UP, DOWN],
] as const)(
  "one that is %s a moment behind its script's end is looked at again",
  async (_, before, early, late) => {
    const { ask, looks } = managed(before, early, early, late);
    expect(await ask(!before)).toEqual([before ? "stop" : "start"]);
    expect(looks()).toBe(3);
  },
);

test.each([
  ["started", false, DOWN, "it was started, but it is not running"],
  ["stopped", true, UP, "it was stopped, but it is still running"],
] as const)("one that never is %s has failed", async (_, before, state, error) => {
  const { ask, looks } = managed(before, state);
  await expect(ask(!before)).rejects.toThrow(error);
  expect(looks()).toBeGreaterThan(5);
});

test("one that has failed by its manager's own word isn't waited for", async () => {
  const { ask, looks } = managed(false, { trouble: "crashed" });
  await expect(ask(true)).rejects.toThrow("it was started, but it is not running (crashed)");
  expect(looks()).toBe(1);
});
