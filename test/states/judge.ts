import { expect } from "vitest";
import type { Played } from "./play.js";
import type { State } from "./state.js";

/** Whether what became of a state is what its check said, what the state asks for, and nothing the second time. */
export function judge(state: State, played: Played): void {
  const { checked, applied, again } = played;
  expect(played.touchedByCheck, "what a check wrote").toEqual([]);
  const { status, ...rest } = checked.report;
  expect(status).toBe(state.skipped ? "skipped" : applied.report.status);
  expect(applied.report).toMatchObject(rest);
  expect({ ...applied.report, status }).toEqual(checked.report);
  if (state.diff !== undefined) expect(applied.report.diff).toContain(state.diff);
  if (state.says) for (const told of [checked, applied, again]) expect(told.said).toEqual(state.says);
  if (state.error === undefined) {
    expect(applied.report.error).toBeUndefined();
    expect(applied.report.changes).toEqual(state.changes);
    expect(applied.report.status).toBe(state.changes!.length > 0 ? "changed" : "ok");
  } else {
    expect(applied.report).toMatchObject({ status: "failed", changes: [] });
    expect(applied.report.error).toContain(state.error);
  }
  expect(played.lacks).toBe("");
  expect(played.lacksAgain).toBe("");
  if (state.each) {
    expect(again.report).toMatchObject({ status: applied.report.status, changes: applied.report.changes });
    return;
  }
  const settled = state.error === undefined ? { status: "ok", changes: [] } : applied.report;
  expect(again.report).toMatchObject(settled);
  expect(played.touchedAgain, "what a second apply wrote").toEqual([]);
}
