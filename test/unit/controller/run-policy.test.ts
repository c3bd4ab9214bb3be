import { describe, expect, it } from "vitest";
import { exitStatus } from "../../../engine/controller/run/options.js";
import { MopError } from "../../../transport/errors.js";
import { INVENTORY, type LeafScript, OK, resource, runScripted, twoRoles } from "./scripted.js";

const BOTH = twoRoles("{ role: first }, { role: second }");
const files = (policy: string) => ({ "policy.ts": policy, "inventory.toml": INVENTORY });
const roleOf: LeafScript = ({ plan, emit }) => emit(resource(plan.role, "a", "ok")).then(() => OK);

describe("a run", () => {
  it("starts a role only when the one before is over on every host", async () => {
    const order: string[] = [];
    await runScripted({
      files: files(BOTH),
      async leaf({ host, plan }) {
        order.push(`${plan.role} starts`);
        // One host is slow: the others must not be ahead of it.
        for (let turn = 0; turn < (host === "l2" ? 50 : 1); turn++) await new Promise(setImmediate);
        order.push(`${plan.role} ends`);
        return OK;
      },
    });
    expect(order.lastIndexOf("first ends")).toBeLessThan(order.indexOf("second starts"));
    expect(order.filter((step) => step === "second ends")).toHaveLength(3);
  });

  it("contacts `serial` hosts at once, batch after batch", async () => {
    const { steps } = await runScripted({ files: files(twoRoles("{ role: first, serial: 2 }")) });
    const wings = steps.filter((step) => /^(wing|end) /.test(step));
    expect(wings.slice(0, 2).sort()).toEqual(["wing l1", "wing l2"]);
    expect(wings.slice(4)).toEqual(["wing l3", "end l3"]);
    expect(steps.indexOf("reach l3")).toBeGreaterThan(steps.indexOf("end l2"));
  });

  it("offers everything to a batch at once and before any order goes out", async () => {
    const { steps } = await runScripted({ files: files(twoRoles("{ role: first }")) });
    expect(steps.slice(0, 9).map((step) => step.split(" ")[0])).toEqual([
      ...["reach", "reach", "reach"],
      ...["offer", "offer", "offer"],
      ...["push", "push", "push"],
    ]);
  });

  it("leaves out what only others pass through, and tells each host once that it is connected", async () => {
    const { result, events } = await runScripted({ files: files(BOTH), leaf: roleOf });
    expect(Object.keys(result.hosts)).toEqual(["l1", "l2", "l3"]);
    const connected = events.filter((event) => event.event === "host");
    expect(connected).toHaveLength(3);
    expect(connected[0]).toMatchObject({ state: "connected", route: ["b1", "b2", "l1"], ms: 5 });
    expect(result.hosts.l1).toEqual({ ok: 2, changed: 0, failed: 0, skipped: 0, unreachable: false });
    expect(exitStatus(result)).toBe(0);
  });

  it("reaches a host anew whose node is gone between two roles, and tells once that it is connected", async () => {
    const steps: string[] = [];
    let lose = () => {};
    const { events, result } = await runScripted({
      files: files(twoRoles("{ role: first, hosts: ['l1'] }, { role: second, hosts: ['l1'] }")),
      leaf({ node }) {
        lose = () => node.kill(new MopError("LINK_LOST", "l1: the link was lost"));
        return OK;
      },
      mesh: {
        onStep(step) {
          steps.push(step);
          if (step === "end l1") lose();
        },
      },
    });
    expect(steps.filter((step) => step === "reach l1")).toHaveLength(2);
    expect(events.filter((event) => event.event === "host")).toHaveLength(1);
    expect(result.failed).toEqual([]);
  });

  it("goes on with other hosts when one fails, and starts no later role", async () => {
    const { result, events, steps } = await runScripted({
      files: files(BOTH),
      async leaf({ host, plan, emit }) {
        await emit(resource(plan.role, "a", host === "l1" ? "failed" : "changed"));
        return host === "l1" ? { kind: "role", status: "failed", error: "disk full" } : OK;
      },
    });
    expect(result.failed).toEqual(["l1"]);
    expect(result.hosts.l1).toMatchObject({ failed: 1 });
    expect(result.hosts.l3).toMatchObject({ changed: 1, failed: 0 });
    expect(events).toContainEqual({
      event: "role",
      host: "l1",
      role: "first",
      status: "failed",
      error: "disk full",
    });
    expect(steps.filter((step) => step.startsWith("wing"))).toHaveLength(3);
    expect(exitStatus(result)).toBe(2);
  });

  it("counts an unreachable host, names the hop, and lets later roles run on the others", async () => {
    const error = new MopError("CONNECT_REFUSED", "nothing listens there");
    const { result, events, steps } = await runScripted({
      files: files(BOTH),
      leaf: roleOf,
      mesh: { unreachable: { l2: { at: "b2", error } } },
    });
    expect(events).toContainEqual({
      event: "host",
      host: "l2",
      state: "unreachable",
      at: "b2",
      code: "CONNECT_REFUSED",
      reason: "nothing listens there",
    });
    expect(result.unreachable).toEqual(["l2"]);
    expect(result.hosts.l2).toMatchObject({ ok: 0, failed: 0, unreachable: true });
    expect(result.hosts.l1).toMatchObject({ ok: 2 });
    expect(steps.filter((step) => step === "offer l2")).toHaveLength(1);
    expect(steps.filter((step) => step === "offer l1")).toHaveLength(2);
    expect(exitStatus(result)).toBe(4);
    expect(exitStatus({ ...result, failed: ["l1"] })).toBe(2);
  });

  it("reports a host whose node was lost in the middle of a role as unreachable, with what it did before", async () => {
    const { result, events } = await runScripted({
      files: files(BOTH),
      async leaf({ host, node, emit }) {
        if (host !== "l3") return OK;
        await emit(resource("first", "/a", "changed"));
        node.kill(new MopError("LINK_LOST", "l3: the link was lost"));
        return new Promise(() => {});
      },
    });
    expect(result.unreachable).toEqual(["l3"]);
    expect(result.failed).toEqual([]);
    expect(result.hosts.l3).toMatchObject({ changed: 1, failed: 0, unreachable: true });
    expect(events).toContainEqual({
      event: "host",
      host: "l3",
      state: "unreachable",
      at: "l3",
      code: "LINK_LOST",
      reason: "l3: the link was lost",
    });
    expect(exitStatus(result)).toBe(4);
  });

  it("counts a host as failed whose wing ended without a result while its node lives", async () => {
    const { result } = await runScripted({
      files: files(BOTH),
      leaf({ host }) {
        if (host === "l3") throw new MopError("OUT_OF_MEMORY", "l3: the role needs more memory");
        return OK;
      },
    });
    expect(result.failed).toEqual(["l3"]);
    expect(result.unreachable).toEqual([]);
  });

  it("ends with 130 when it is interrupted, cancels what runs and starts nothing more", async () => {
    const stop = new AbortController();
    const cancelled: string[] = [];
    const { result, steps } = await runScripted({
      files: files(twoRoles("{ role: first, serial: 1 }, { role: second }")),
      options: { signal: stop.signal },
      leaf: ({ host, signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            cancelled.push(host);
            reject(signal.reason);
          });
          stop.abort();
        }),
    });
    expect(cancelled).toEqual(["l1"]);
    expect(steps.filter((step) => step.startsWith("reach"))).toEqual(["reach l1"]);
    expect(result.interrupted).toBe(true);
    expect(exitStatus(result)).toBe(130);
  });

  it("brings no warning of Node's with many hosts under one signal", async () => {
    const warnings: string[] = [];
    const hear = (warning: Error) => void warnings.push(warning.message);
    process.on("warning", hear);
    const hosts = Array.from({ length: 30 }, (_, index) => `h${index} = ""`).join("\n");
    const { result } = await runScripted({
      files: { "policy.ts": twoRoles("{ role: first }"), "inventory.toml": `[groups.web.hosts]\n${hosts}` },
      options: { signal: new AbortController().signal },
    });
    await new Promise(setImmediate);
    process.off("warning", hear);
    expect(Object.keys(result.hosts)).toHaveLength(30);
    expect(warnings).toEqual([]);
  });

  it("ends with a summary of every host and link", async () => {
    const { events, result } = await runScripted({ files: files(BOTH) });
    expect(events.at(-1)).toBe(result.summary);
    expect(result.summary.links).toContainEqual({ from: "b2", to: "l1", sent: 1, received: 1 });
    expect(result.summary.ms).toBeGreaterThanOrEqual(0);
  });

  it("that closes its mesh asks for the links first and waits for neither before the other; else leaves it open", async () => {
    const { result, mesh } = await runScripted({ files: files(BOTH), options: { closes: true } });
    expect(result.summary.links).toContainEqual({ from: "b2", to: "l1", sent: 1, received: 1 });
    expect(mesh.closed).toBe(true);
    expect((await runScripted({ files: files(BOTH) })).mesh.closed).toBe(false);
  });

  it("believes a host's events only about itself: host and role are ours", async () => {
    const { events } = await runScripted({
      files: files(twoRoles("{ role: first, hosts: ['l1'] }")),
      async leaf({ emit }) {
        await emit({ ...resource("forged", "a", "ok"), host: "l2" } as never);
        return OK;
      },
    });
    expect(events).toContainEqual(expect.objectContaining({ event: "resource", host: "l1", role: "first" }));
    expect(JSON.stringify(events)).not.toContain("forged");
  });

  it("leads a place in the code that travelled back to the policy's line", async () => {
    const { events, folder } = await runScripted({
      files: files(`import { defineRole, definePolicy } from "mop";

const first = defineRole({ name: "first", async main({ shell }) {
  await shell("exit 3");
} });
export default definePolicy({ roles: [{ role: first, hosts: ["l1"] }] });`),
      async leaf({ plan, blob }) {
        const lines = Buffer.from(await blob(plan.module))
          .toString()
          .split("\n");
        const line = lines.findIndex((text) => text.includes('shell("exit 3")'));
        const column = lines[line]!.indexOf("shell");
        return { kind: "role", status: "failed", error: `it failed (role.js:${line + 1}:${column + 1})` };
      },
    });
    expect(events).toContainEqual(
      expect.objectContaining({ event: "role", error: `it failed (${folder}/policy.ts:4:9)` }),
    );
  });

  it("counts a host that talks nonsense as failed", async () => {
    const { result, events } = await runScripted({
      files: files(twoRoles("{ role: first, hosts: ['l1'] }")),
      async leaf({ emit }) {
        await emit({ event: "resource", status: "splendid" } as never);
        return new Promise(() => {});
      },
    });
    expect(result.failed).toEqual(["l1"]);
    expect(events).toContainEqual(
      expect.objectContaining({ event: "role", error: "The host sent a malformed resource event" }),
    );
  });
});

describe("limits", () => {
  const hosts = async (options: object) =>
    Object.keys((await runScripted({ files: files(BOTH), options })).result.hosts);

  it("choose hosts by patterns of names and groups", async () => {
    expect(await hosts({ limitHosts: ["l1", "l3"] })).toEqual(["l1", "l3"]);
    expect(await hosts({ limitHosts: ["l*", "!l2"] })).toEqual(["l1", "l3"]);
    expect(await hosts({ limitGroups: ["we?"] })).toEqual(["l1", "l2", "l3"]);
  });

  it("that fit nothing are a fault of the command", async () => {
    await expect(hosts({ limitHosts: ["l9"] })).rejects.toThrow(/^--limit-hosts: "l9" fits no host of /);
    await expect(hosts({ limitGroups: ["db"] })).rejects.toThrow(/^--limit-groups: "db" fits no group of /);
  });

  it("keep roles away from hosts outside of them", async () => {
    const { steps } = await runScripted({
      files: files(twoRoles("{ role: first, hosts: ['l1'] }, { role: second, groups: ['web'] }")),
      options: { limitHosts: ["l2"] },
    });
    expect(steps.filter((step) => step.startsWith("wing"))).toEqual(["wing l2"]);
  });
});
