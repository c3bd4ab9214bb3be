import { describe, expect, it } from "vitest";
import { HumanView } from "../../../cli/output/human.js";
import { createStyle } from "../../../cli/output/style.js";
import { MopError } from "../../../transport/errors.js";
import { OK, resource, runScripted, twoRoles } from "../controller/scripted.js";

const HOSTS = Array.from({ length: 300 }, (_, index) => `h${index + 1}`);
const INVENTORY = `[groups.web.hosts]\n${HOSTS.map((name) => `${name} = ""`).join("\n")}\n`;

/** A run on 300 hosts as an operator sees it. */
async function screen(verbose = false): Promise<string[]> {
  const down = { at: "h300", error: new MopError("CONNECT_TIMEOUT", "no answer") };
  const { events } = await runScripted({
    files: { "policy.ts": twoRoles("{ role: first }, { role: second }"), "inventory.toml": INVENTORY },
    mesh: { unreachable: { h300: down } },
    async leaf({ host, plan, emit }) {
      await emit({ event: "output", stream: "stdout", text: "working\n" });
      await emit(resource(plan.role, "/etc/motd", "ok"));
      await emit(resource(plan.role, "/etc/app.conf", "changed"));
      if (plan.role === "first" || !host.endsWith("7")) return OK;
      await emit({ ...resource(plan.role, "/srv/data", "failed"), error: "disk full" } as never);
      return { kind: "role", status: "failed", error: "file /srv/data: disk full (policy.ts:5:3)" };
    },
  });
  const view = new HumanView({ style: createStyle(false), check: false, verbose });
  view.expect(HOSTS.length);
  return events.flatMap((event) => (event.event === "ping" ? [] : view.event(event)));
}

describe("a run on 300 hosts", () => {
  it("fits on a screen with --verbose too", async () => {
    const lines = await screen(true);
    expect(lines.length, lines.join("\n")).toBeLessThan(35);
    expect(lines.join("\n")).toMatch(/connected {2}directly {2}on h1, .* and 293 more/);
    expect(lines.join("\n")).toMatch(/ok {2}file \/etc\/motd {2}on /);
  });

  it("fits on a screen, and names every host that failed or was not reached", async () => {
    const lines = await screen();
    expect(lines.length, lines.join("\n")).toBeLessThan(25);
    const failed = lines.find((line) => line.includes("30 hosts") && line.includes("1 failed")) ?? "";
    for (const host of HOSTS.filter((name) => name.endsWith("7")))
      expect(failed).toMatch(new RegExp(`\\b${host}\\b`));
    expect(lines.filter((line) => line.includes("disk full"))).toHaveLength(2);
    expect(lines.filter((line) => line.includes("unreachable")).join()).toContain("h300");
  });
});
