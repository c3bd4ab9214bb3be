import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { bootIdentity } from "../../../engine/leaf/role/reboots.js";
import type { LeafResult, RoleOrder } from "../../../engine/vocabulary/order.js";
import type { WingModule } from "../../../relay/wing.js";
import { until } from "../../support/alive.js";
import { bundleForTest, FakeHost, loadWing, roleText } from "../../support/fake-wing.js";

let wing: WingModule;
let folder: string;
beforeAll(async () => {
  wing = loadWing(await bundleForTest("engine/leaf/main.ts"));
});
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "mop-reboot-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COMMAND = `command: "touch " + vars.at + "/down"`;
/** Says what it did in a file, reboots, and goes on. */
const BODY = `
  await shell("echo before >>" + vars.at + "/log");
  const bad = await shell("exit 3", { ignoreErrors: true });
  try { await shell("exit 4"); } catch (error) { await echo("caught " + error.result.rc); }
  const again = await reboot("new kernel", { ${COMMAND} });
  await shell("echo after " + bad.rc + " " + again.changed + " >>" + vars.at + "/log");`;

type Rebooted = Extract<LeafResult, { kind: "reboot" }>;

const run = (body: string, resume?: RoleOrder["resume"], check = false) =>
  new FakeHost().role(wing, roleText(body), { check }, { at: folder }, undefined, resume ? { resume } : {});

const log = () => readFileSync(path.join(folder, "log"), "utf8");

test("a reboot ends the run with what the role did, and takes the host down behind the last word", async () => {
  const { result, events } = await run(BODY);
  expect(result).toMatchObject({ kind: "reboot", boot: bootIdentity(), waitMs: 600_000 });
  expect((result as Rebooted).done).toHaveLength(4);
  expect(log()).toBe("before\n");
  expect(events.some((event) => event.event === "role")).toBe(false);
  await until("the host is taken down", () => {
    try {
      readFileSync(path.join(folder, "down"));
      return true;
    } catch {
      return false;
    }
  });
});

test("a last word that takes its time is not overtaken by the host's end", async () => {
  let on = 0;
  const slow = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    on = Date.now();
  };
  const body = `console.log("on its way"); await reboot("why", { ${COMMAND} });`;
  const { result } = await new FakeHost().role(wing, roleText(body), {}, { at: folder }, (event) =>
    event.event === "output" ? slow() : undefined,
  );
  expect(result).toMatchObject({ kind: "reboot" });
  const down = path.join(folder, "down");
  await until("the host is taken down", () => existsSync(down));
  expect(statSync(down).mtimeMs).toBeGreaterThan(on);
});

test("behind it the role goes on: what ran before gives its results of then, failures too, and runs no second time", async () => {
  const { done } = (await run(BODY)).result as Rebooted;
  const { result, events } = await run(BODY, { done, boot: "another start" });
  expect(result).toEqual({ kind: "role", status: "ok", error: null });
  expect(log()).toBe("before\nafter 3 true\n");
  expect(
    events.flatMap((event) => (event.event === "resource" ? [`${event.type} ${event.status}`] : [])),
  ).toEqual(["reboot changed", "shell changed"]);
});

test("two reboots in one role", async () => {
  const body = `
    await reboot("one", { ${COMMAND} });
    await shell("echo between >>" + vars.at + "/log");
    await reboot("two", { ${COMMAND} });
    await shell("echo end >>" + vars.at + "/log");`;
  const first = (await run(body)).result as Rebooted;
  const second = (await run(body, { done: first.done, boot: "0" })).result as Rebooted;
  expect(second).toMatchObject({ kind: "reboot" });
  expect(log()).toBe("between\n");
  const { result } = await run(body, { done: second.done, boot: "0" });
  expect(result).toMatchObject({ status: "ok" });
  expect(log()).toBe("between\nend\n");
});

test("a host that can be reached again but was not restarted fails the resource", async () => {
  const { done, boot } = (await run(BODY)).result as Rebooted;
  const { result } = await run(BODY, { done, boot });
  expect(result).toMatchObject({
    status: "failed",
    error: expect.stringMatching(/^reboot new kernel: .*not restarted/),
  });
});

test("a role that does something else behind the reboot is stopped with both names", async () => {
  const { done } = (await run(BODY)).result as Rebooted;
  const { result } = await run(`await shell("something else");`, { done, boot: "another" });
  expect(result).toMatchObject({
    status: "failed",
    error: expect.stringMatching(/called shell something else where it called shell echo before/),
  });
});

test("under --check nothing is restarted, and the role is planned to its end", async () => {
  const { result, events } = await run(BODY, undefined, true);
  expect(result).toMatchObject({ kind: "role", status: "ok" });
  expect(events).toContainEqual(
    expect.objectContaining({ type: "reboot", status: "changed", changes: ["reboot"] }),
  );
});

test("results that can't be kept are refused before anything is taken down", async () => {
  const { result } = await run(`
    await shell("head -c 900000 /dev/zero | tr '\\\\0' x", { readOnly: true });
    await shell("head -c 900000 /dev/zero | tr '\\\\0' x", { readOnly: true });
    await reboot("why", { ${COMMAND} });`);
  expect(result).toMatchObject({
    status: "failed",
    error: expect.stringMatching(/can't be kept over a reboot/),
  });
});
