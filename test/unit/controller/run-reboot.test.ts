import { describe, expect, it } from "vitest";
import type { LeafResult } from "../../../engine/vocabulary/order.js";
import { MopError } from "../../../transport/errors.js";
import { INVENTORY, type Leaf, OK, resource, runScripted, twoRoles } from "./scripted.js";

const files = {
  "policy.ts": twoRoles("{ role: first, hosts: ['l1'] }, { role: second, hosts: ['l1'] }"),
  "inventory.toml": INVENTORY,
};
const down = ({ node }: Leaf) => node.kill(new MopError("LINK_LOST", "l1: the link broke"));
const resumeOf = ({ order }: Leaf) => (order.kind === "role" ? order.resume : undefined);
const reboot = (waitMs: number): LeafResult => ({
  kind: "reboot",
  done: [{ type: "shell" }],
  boot: "first",
  waitMs,
});

describe("a role that restarts its host", () => {
  it("goes on over the same route when the host is back, with what it did before", async () => {
    const orders: unknown[] = [];
    const { result, events, steps } = await runScripted({
      files,
      async leaf(leaf) {
        orders.push([leaf.plan.role, resumeOf(leaf)]);
        if (leaf.plan.role === "second") return OK;
        if (!resumeOf(leaf)) {
          await leaf.emit(resource("first", "before", "changed"));
          setTimeout(down, 20, leaf);
          return reboot(60_000);
        }
        await leaf.emit(resource("first", "after", "changed"));
        return OK;
      },
    });
    expect(orders).toEqual([
      ["first", undefined],
      ["first", { done: [{ type: "shell" }], boot: "first" }],
      ["second", undefined],
    ]);
    expect(result.hosts.l1).toMatchObject({ changed: 2, failed: 0, unreachable: false });
    expect(
      events.filter((event) => event.event === "host").map((event) => "state" in event && event.state),
    ).toEqual(["connected", "rebooting"]);
    // The new node is offered everything anew.
    expect(steps.filter((step) => /^(reach|offer) l1$/.test(step))).toEqual([
      ...["reach l1", "offer l1", "reach l1", "offer l1", "offer l1"],
    ]);
  });

  it("leaves a host that does not go down as unreachable", async () => {
    const { result, events } = await runScripted({ files, leaf: () => reboot(50) });
    expect(result.unreachable).toEqual(["l1"]);
    expect(events).toContainEqual(
      expect.objectContaining({
        state: "unreachable",
        reason: expect.stringMatching(/told to restart and did not go down/),
      }),
    );
  });

  it("leaves a host that does not come back as unreachable, with what was seen last", async () => {
    const unreachable: Record<string, { at: string; error: MopError }> = {};
    const { result, events } = await runScripted({
      files,
      leaf(leaf) {
        unreachable.l1 = { at: "l1", error: new MopError("CONNECT_REFUSED", "b2 can't connect") };
        setTimeout(down, 10, leaf);
        return reboot(400);
      },
      mesh: { unreachable },
    });
    expect(result.unreachable).toEqual(["l1"]);
    expect(events).toContainEqual(
      expect.objectContaining({
        state: "unreachable",
        reason: expect.stringMatching(
          /did not come back in 0.4 s after it was restarted \(b2 can't connect\)/,
        ),
      }),
    );
  });

  it("that is interrupted meanwhile waits no longer", async () => {
    const stop = new AbortController();
    const begun = performance.now();
    const { result } = await runScripted({
      files,
      leaf() {
        setTimeout(() => stop.abort(), 50);
        return reboot(600_000);
      },
      options: { signal: stop.signal },
    });
    expect(result.interrupted).toBe(true);
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});
