import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LogFile } from "../../../engine/leaf/log/log-file.js";
import type { LeafResult } from "../../../engine/vocabulary/order.js";
import type { WingModule } from "../../../relay/wing.js";
import { bundleForTest, FakeHost, loadWing, roleText } from "../../support/fake-wing.js";
import { standStill } from "../../support/held-up.js";

let wing: WingModule;
let folder: string;
let file: string;
let count = 0;

beforeAll(async () => {
  wing = loadWing(await bundleForTest("engine/leaf/main.ts"));
  folder = mkdtempSync(path.join(os.tmpdir(), "mop-log-"));
});
beforeEach(() => {
  file = path.join(folder, String(count++), ".mop/mop.log");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const order = () => ({ log: { path: file, operator: "alice@laptop", run: "3f2a" } });
/** Without the times, which are looked at on the way. */
const lines = (): string[] =>
  readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => {
      expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /);
      return line.slice(25);
    });

describe("a leaf's log", () => {
  test("has who ran what, what changed and what failed, each in one line, for its user only", async () => {
    const main = roleText(`await shell("true", { changedWhen: false });
      await shell("echo a\\nb; true");
      await shell("echo my-s3cret >&2; exit 3");`);
    await new FakeHost().role(wing, main, { secrets: ["my-s3cret"] }, {}, undefined, order());
    expect(lines()).toEqual([
      "3f2a alice@laptop web started",
      "3f2a alice@laptop web changed shell echo a\\nb; true (run)",
      "3f2a alice@laptop web failed shell echo ******** >&2; exit 3: the command ended with status 3: ********",
      "3f2a alice@laptop web ended failed: 1 ok, 1 changed, 1 failed, 0 skipped",
    ]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
  });

  test("goes on where another run ended, and is made private again", async () => {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, "2026-01-01T00:00:00.000Z older\n", { mode: 0o644 });
    chmodSync(file, 0o644);
    await new FakeHost().role(wing, roleText(""), {}, {}, undefined, order());
    expect(lines()).toEqual([
      "older",
      "3f2a alice@laptop web started",
      "3f2a alice@laptop web ended ok: 0 ok, 0 changed, 0 failed, 0 skipped",
    ]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("says that a run was interrupted", async () => {
    const host = new FakeHost();
    const main = roleText(`await shell("echo begun; sleep 60");`);
    await host.role(wing, main, {}, {}, (event) => event.event === "output" && host.cancel(), order());
    expect(lines().at(-1)).toMatch(/web ended interrupted: /);
  });

  test("says that a role restarts its host, and what it did behind that", async () => {
    const main = `const { secret } = require("mop");\n${roleText(`
      const made = secret((await shell("echo made-before-it")).stdout.trim());
      await reboot("new kernel", { command: "true" });
      await shell("echo " + made);`)}`;
    const host = new FakeHost();
    const { result } = await host.role(wing, main, {}, {}, undefined, order());
    const { done } = result as Extract<LeafResult, { kind: "reboot" }>;
    await host.role(wing, main, {}, {}, undefined, { ...order(), resume: { done, boot: "another start" } });
    expect(lines().map((line) => line.replace("3f2a alice@laptop web ", ""))).toEqual([
      "started",
      "changed shell echo made-before-it (run)",
      "ended restarting: 0 ok, 1 changed, 0 failed, 0 skipped",
      "started",
      expect.stringMatching(/^changed reboot new kernel/),
      "changed shell echo ******** (run)",
      "ended ok: 0 ok, 2 changed, 0 failed, 0 skipped",
    ]);
  });

  test("is left alone by a check, and where it is turned off", async () => {
    await new FakeHost().role(
      wing,
      roleText(`await shell("true");`),
      { check: true },
      {},
      undefined,
      order(),
    );
    await new FakeHost().role(wing, roleText(`await shell("true");`));
    expect(existsSync(path.dirname(file))).toBe(false);
  });

  test.each([
    ["below a file", () => writeFileSync(path.dirname(file), ""), "a part of the path is not a folder"],
    ["that is a folder", () => mkdirSync(file, { recursive: true }), "it is a folder"],
    [
      "that is a link, which somebody may have laid",
      () => {
        mkdirSync(path.dirname(file));
        symlinkSync(path.join(folder, "elsewhere"), file);
      },
      "it is a symbolic link",
    ],
  ])("%s is told once, and the run goes well", async (_where, prepare, why) => {
    mkdirSync(path.dirname(path.dirname(file)), { recursive: true });
    prepare();
    const main = roleText(`await shell("true"); await shell("true");`);
    const { events, result } = await new FakeHost().role(wing, main, {}, {}, undefined, order());
    expect(result).toMatchObject({ status: "ok" });
    expect(events.filter((event) => event.event === "notice")).toEqual([
      { event: "notice", text: `the log ${file} can't be written: ${why}` },
    ]);
    expect(existsSync(path.join(folder, "elsewhere"))).toBe(false);
  });

  test("keeps about 1 MB, and three older ones of that size", async () => {
    const log = new LogFile(file, (why) => expect.unreachable(why));
    for (let line = 0; line < 5 * 1024 + 100; line++)
      log.append(`${String(line).padStart(6, "0")} ${"x".repeat(1016)}`);
    for (let turn = 0; turn < 20; turn++) await log.close();
    const sizes = ["", ".1", ".2", ".3"].map((age) => statSync(file + age).size);
    for (const size of sizes.slice(1)) expect(size).toBe(1024 * 1024);
    expect(sizes[0]).toBe(100 * 1024);
    expect(existsSync(`${file}.4`)).toBe(false);
    // The youngest ones are there: five megabytes came in all.
    expect(readFileSync(`${file}.1`, "utf8").slice(0, 6)).toBe(String(4 * 1024).padStart(6, "0"));
  });

  test("has all its lines at the end, though the process gets no time while it is closed", async () => {
    const log = new LogFile(file, (why) => expect.unreachable(why));
    for (let line = 0; line < 50; line++) log.append(String(line));
    const closed = log.close();
    await new Promise((resolve) => setImmediate(resolve));
    standStill(2100);
    await closed;
    expect(readFileSync(file, "utf8").split("\n")).toHaveLength(51);
  });
});
