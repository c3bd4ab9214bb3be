import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { LeafEvent } from "../../../engine/vocabulary/events.js";
import type { RoleOrder } from "../../../engine/vocabulary/order.js";
import type { WingModule } from "../../../relay/wing.js";
import { REBOOTS } from "../../states/tables/reboots.js";
import { bundleForTest, FakeHost, loadWing, roleText } from "../../support/fake-wing.js";
import { tempFolder } from "../controller/temp-folder.js";

let wing: WingModule;
beforeAll(async () => {
  wing = loadWing(await bundleForTest("engine/leaf/main.ts"));
});

/** What a role's resources said, over all its reboots, and how it ended. */
async function run(body: string, at: string, check: boolean) {
  const main = roleText(`const down = { command: "echo down >>" + vars.at + "-down" };\n${body}`);
  const events: LeafEvent[] = [];
  for (let resume: RoleOrder["resume"]; ; ) {
    const more = resume ? { resume } : {};
    const ran = await new FakeHost().role(wing, main, { check, diff: true }, { at }, undefined, more);
    events.push(...ran.events);
    if (ran.result.kind !== "reboot") {
      const said = events.flatMap((event) => {
        if (event.event !== "resource") return [];
        const { ms: _, ...rest } = event;
        return [rest];
      });
      return { said, result: ran.result };
    }
    resume = { done: ran.result.done, boot: "an earlier start" };
  }
}

describe("a check says which reboots a role comes to, and a second run comes to those that are left", () => {
  test.each(REBOOTS.map((item) => [item.claim, item] as const))(
    "%s",
    async (_, { state = {}, body, reboots, again, error }) => {
      const at = path.join(await tempFolder(), "host");
      mkdirSync(at);
      for (const [name, content] of Object.entries(state)) {
        mkdirSync(path.dirname(path.join(at, name)), { recursive: true });
        writeFileSync(path.join(at, name), content);
      }
      const count = (ran: Awaited<ReturnType<typeof run>>) =>
        ran.said.filter(({ type, status }) => type === "reboot" && status === "changed").length;
      const checked = await run(body, at, true);
      const applied = await run(body, at, false);
      expect(applied).toEqual(checked);
      expect(count(applied)).toBe(reboots);
      if (error === undefined) expect(applied.result).toMatchObject({ status: "ok" });
      else expect(applied.result).toMatchObject({ status: "failed", error: expect.stringContaining(error) });
      const second = await run(body, at, false);
      expect(count(second)).toBe(again);
      if (again === 0 && error === undefined)
        expect(second.said.filter(({ status }) => status === "changed")).toEqual([]);
    },
  );
});
