import { describe, expect, it } from "vitest";
import { exitStatus } from "../../../engine/controller/run/options.js";
import type { RunEvent } from "../../../engine/vocabulary/events.js";
import { INVENTORY, type LeafScript, OK, resource, runScripted, twoRoles } from "./scripted.js";
import { rejection } from "./temp-folder.js";

const files = {
  "policy.ts": twoRoles("{ role: first }, { role: second }"),
  "inventory.toml": INVENTORY,
};

/** Every role changes "a" the first time on each host; `restless` changes again and again. */
function leaf(restless: (host: string, role: string) => boolean = () => false): LeafScript {
  const seen = new Set<string>();
  return async ({ host, plan, emit }) => {
    const key = `${host} ${plan.role}`;
    await emit(resource(plan.role, "a", seen.has(key) ? "ok" : "changed"));
    if (restless(host, plan.role))
      await emit({
        event: "resource",
        role: plan.role,
        type: "shell",
        name: "date",
        status: "changed",
        changes: ["run"],
        ms: 1,
      });
    seen.add(key);
    return OK;
  };
}
const verify = (script: LeafScript, options = {}) =>
  runScripted({ files, leaf: script, options: { verify: true, ...options } });
const second = (events: readonly { readonly event: string }[]) =>
  (events as RunEvent[]).filter((event) => "pass" in event && event.pass === 2);

describe("--verify", () => {
  it("runs everything twice over the same nodes, and is content when the second run changes nothing", async () => {
    const { result, events, steps } = await verify(leaf());
    expect(exitStatus(result)).toBe(0);
    expect(result.hosts.l1).toEqual({ ok: 0, changed: 2, failed: 0, skipped: 0, unreachable: false });
    expect(steps.filter((step) => step === "wing l1")).toHaveLength(4);
    expect(steps.filter((step) => step === "reach l1")).toHaveLength(1);
    // All of the first run comes before all of the second, in one stream with one summary.
    const passes = events.map((event) => ("pass" in event ? event.pass : 1));
    expect(passes.indexOf(2)).toBeGreaterThan(0);
    expect(passes.slice(passes.indexOf(2), -1).every((pass) => pass === 2)).toBe(true);
    expect(events.filter((event) => event.event === "summary")).toHaveLength(1);
    expect(second(events).filter((event) => event.event === "role")).toHaveLength(6);
  });

  it("fails where the second run changes something, and names host and resource", async () => {
    const { result, events } = await verify(leaf((host, role) => host === "l2" && role === "first"));
    expect(exitStatus(result)).toBe(2);
    expect(result.failed).toEqual(["l2"]);
    expect(second(events)).toContainEqual({
      event: "role",
      host: "l2",
      role: "first",
      status: "failed",
      error: "the second run changed again what the first had done: shell date (run)",
      pass: 2,
    });
    expect(result.hosts.l2).toEqual({
      ok: 0,
      changed: 3,
      failed: 0,
      skipped: 0,
      again: 1,
      unreachable: false,
    });
    // Later roles are looked at all the same, on this host too.
    expect(second(events)).toContainEqual(
      expect.objectContaining({ event: "role", host: "l2", role: "second", status: "ok" }),
    );
    expect(result.hosts.l1).not.toHaveProperty("again");
  });

  it("does not begin the second run where the first one failed", async () => {
    const warnings: string[] = [];
    const script: LeafScript = ({ host }) =>
      host === "l1" ? { kind: "role", status: "failed", error: "no" } : OK;
    const { result, events, steps } = await verify(script, {
      onWarning: (text: string) => void warnings.push(text),
    });
    expect(exitStatus(result)).toBe(2);
    expect(second(events)).toEqual([]);
    expect(steps.filter((step) => step === "wing l2")).toHaveLength(1);
    expect(warnings).toEqual(["the second run of --verify was left out, since the first one failed"]);
  });

  it("counts what fails in the second run", async () => {
    let runs = 0;
    const { result } = await verify(({ host }) =>
      host === "l1" && ++runs === 3 ? { kind: "role", status: "failed", error: "no" } : OK,
    );
    expect(result.failed).toEqual(["l1"]);
    expect(result.hosts.l1).toMatchObject({ failed: 1 });
  });

  it("is refused together with --check", async () => {
    const { message } = await rejection(verify(leaf(), { check: true }));
    expect(message).toBe("--verify runs for real, twice, which --check rules out; leave one of them away");
  });
});
