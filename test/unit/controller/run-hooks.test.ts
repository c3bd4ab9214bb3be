import { describe, expect, it } from "vitest";
import { MopError } from "../../../transport/errors.js";
import { INVENTORY, OK, resource, runScripted, twoRoles } from "./scripted.js";

/** Hooks speak through a list on globalThis: a policy is a module of its own. */
async function withHooks(entries: string, more: Partial<Parameters<typeof runScripted>[0]> = {}) {
  const said: string[] = [];
  const name = `mop:test:${Math.random()}`;
  Reflect.set(globalThis, name, said);
  try {
    const head = `const say = (text) => globalThis[${JSON.stringify(name)}].push(text);`;
    const run = await runScripted({
      files: { "policy.ts": twoRoles(entries, head), "inventory.toml": INVENTORY },
      ...more,
    });
    return { ...run, said };
  } finally {
    Reflect.deleteProperty(globalThis, name);
  }
}

describe("hooks", () => {
  it("see the host with its groups and variables, before and after contact", async () => {
    const { said } = await withHooks(
      `{ role: first, hosts: ["l1"],
         beforeContact(host) { say("before " + JSON.stringify([host.name, host.groups, host.vars.color])); },
         afterContact(host, result) { say("after " + host.name + " " + JSON.stringify(result)); } }`,
      {
        async leaf({ emit }) {
          await emit(resource("first", "a", "changed"));
          await emit(resource("first", "b", "ok"));
          return OK;
        },
      },
    );
    expect(said).toEqual([
      `before ["l1",["web"],"blue"]`,
      `after l1 {"status":"ok","ok":1,"changed":1,"failed":0,"skipped":0}`,
    ]);
  });

  it("run for a whole batch before any of its hosts is contacted", async () => {
    const { said, steps } = await withHooks(
      `{ role: first, serial: 2, beforeContact(host) { say(host.name); } }`,
      { leaf: () => OK },
    );
    expect(said).toEqual(["l1", "l2", "l3"]);
    expect(steps.filter((step) => step.startsWith("reach"))).toHaveLength(3);
  });

  it("keep a host out that `shouldContact` declines: neither contacted nor counted as failed", async () => {
    const { steps, result, said } = await withHooks(
      `{ role: first, shouldContact: (host) => host.name !== "l2", afterContact(host) { say(host.name); } }`,
    );
    expect(steps.filter((step) => step.startsWith("reach"))).toEqual(["reach l1", "reach l3"]);
    expect(result.failed).toEqual([]);
    expect(said.sort()).toEqual(["l1", "l3"]);
  });

  it("that throw before contact fail their host, which stays untouched, with the place in the policy", async () => {
    const { steps, events, result } = await withHooks(
      `{ role: first, async beforeContact(host) { if (host.name === "l1") throw new Error("no balancer"); } }`,
    );
    expect(steps).not.toContain("reach l1");
    expect(steps).toContain("wing l2");
    expect(result.failed).toEqual(["l1"]);
    expect(events).toContainEqual({
      event: "role",
      host: "l1",
      role: "first",
      status: "failed",
      error: expect.stringMatching(/^beforeContact failed: no balancer \(.*policy\.ts:6:\d+\)$/),
    });
  });

  it("change nothing under --check: only `shouldContact` is asked", async () => {
    const { said, result } = await withHooks(
      `{ role: first,
         shouldContact(host) { say("should " + host.name); return host.name === "l1"; },
         beforeContact(host) { say("before " + host.name); },
         afterContact(host) { say("after " + host.name); } }`,
      { options: { check: true } },
    );
    expect(said).toEqual(["should l1", "should l2", "should l3"]);
    expect(result.failed).toEqual([]);
  });

  it("put a host back that was taken out when the run is interrupted in between", async () => {
    const stop = new AbortController();
    const name = `mop:stop:${Math.random()}`;
    Reflect.set(globalThis, name, () => stop.abort());
    const { said, steps, result } = await withHooks(
      `{ role: first, hosts: ["l1"], beforeContact() { globalThis[${JSON.stringify(name)}](); },
         afterContact(host, { status, error }) { say([host.name, status, error].join(" ")); } }`,
      { options: { signal: stop.signal } },
    );
    Reflect.deleteProperty(globalThis, name);
    expect(said).toEqual(["l1 failed The run was interrupted"]);
    expect(steps).toEqual([]);
    expect(result.interrupted).toBe(true);
  });

  it("name themselves when they throw", async () => {
    const { events } = await withHooks(
      `{ role: first, shouldContact(host) { if (host.name === "l1") throw new Error("one"); return true; },
         beforeContact(host) { if (host.name === "l2") throw new Error("two"); } }`,
    );
    const errors = events.flatMap((event) => (event.event === "role" && event.error ? [event.error] : []));
    expect(errors.map((error) => error.replace(/ \(.*/, "")).sort()).toEqual([
      "beforeContact failed: two",
      "shouldContact failed: one",
    ]);
  });

  it("that throw after contact fail their host too, and no later role starts", async () => {
    const { steps, result } = await withHooks(
      `{ role: first, hosts: ["l1"], afterContact() { throw new Error("still drained"); } }, { role: second }`,
    );
    expect(result.failed).toEqual(["l1"]);
    expect(steps.filter((step) => step.startsWith("wing"))).toEqual(["wing l1"]);
  });

  it("hear how an unreachable host and a failed one ended", async () => {
    const { said } = await withHooks(
      `{ role: first, afterContact(host, { status, error }) { say([host.name, status, error].join(" ")); } }`,
      {
        mesh: { unreachable: { l1: { at: "b1", error: new MopError("AUTH_REFUSED", "no key fits") } } },
        leaf: ({ host }) => (host === "l2" ? { kind: "role", status: "failed", error: "disk full" } : OK),
      },
    );
    expect(said.sort()).toEqual(["l1 unreachable no key fits", "l2 failed disk full", "l3 ok "]);
  });
});
