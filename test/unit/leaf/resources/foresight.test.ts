import { realpath } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { tempFolder } from "../../controller/temp-folder.js";
import { isRoot, playAsUser } from "./become-user.js";
import { foretell, type Seen } from "./foresight.js";
import { look, Run } from "./stage.js";

/** The runs are no idle ones. */
function busy(seen: Seen): void {
  expect(seen.changed).toBeGreaterThan(150);
  expect(seen.failed).toBeGreaterThan(50);
}

describe("a check", () => {
  test("says to the last word what the run then does, also where a resource builds on an earlier one", async () => {
    busy(await foretell(await realpath(await tempFolder()), 200));
  }, 60_000);

  test.skipIf(!isRoot)(
    "does so for a user that is not root (needs root to become one)",
    async () => {
      busy((await playAsUser(await realpath(await tempFolder()), "foresight")) as Seen);
    },
    60_000,
  );

  test("knows what was planned in a folder after the folder's mode was planned too", async () => {
    const folder = await tempFolder();
    for (const check of [true, false]) {
      const run = new Run({ check });
      await run.do("directory", `${folder}/a/x`);
      await run.do("directory", `${folder}/a`, { mode: 0o700 });
      const { report } = await run.do("file", `${folder}/a/x`, { ignoreErrors: true });
      expect(report.error).toBe("a folder stands there");
    }
  });

  test("keeps what it planned in a new folder when that gets other attributes", async () => {
    const folder = await tempFolder();
    const run = new Run({ check: true });
    await run.do("directory", `${folder}/new/in`);
    await run.do("directory", `${folder}/new`, { mode: 0o711 });
    expect((await run.do("directory", `${folder}/new/in`)).report).toMatchObject({ status: "ok" });
    await run.do("directory", `${folder}/new`, { absent: true, recursive: true });
    await run.do("directory", `${folder}/new`);
    expect((await run.do("directory", `${folder}/new/in`)).report).toMatchObject({ changes: ["create"] });
  });

  test("knows a file of the system's that was planned together with its folder", async () => {
    const folder = await tempFolder();
    const jobs = async (check: boolean) => {
      const run = new Run({ check, diff: true });
      const job = (name: string) =>
        run.do("cron", name, { file: `${folder}/new/jobs`, schedule: "@daily", command: name });
      return [(await job("a")).report, (await job("b")).report, (await job("a")).report];
    };
    const checked = await jobs(true);
    expect(checked.map(({ changes }) => changes.join())).toEqual(["create", "create", ""]);
    expect(await jobs(false)).toEqual(checked);
  });

  test("doesn't refuse a missing folder that a command before may have made", async () => {
    const folder = await tempFolder();
    const run = new Run({ check: true });
    expect((await run.do("file", `${folder}/new/a`, { content: "x" })).report.status).toBe("failed");
    await run.do("shell", `mkdir ${folder}/new`);
    expect((await run.do("file", `${folder}/new/a`, { content: "x" })).report).toMatchObject({
      status: "changed",
      changes: ["create"],
    });
    expect(await look(folder)).toEqual({});
  });

  test("doesn't run a command that only looks in a folder which is only planned, and fails for one that is missing", async () => {
    const folder = await tempFolder();
    const look = { readOnly: true, cwd: `${folder}/new` };
    const run = new Run({ check: true });
    expect((await run.do("shell", "pwd", look)).report.status).toBe("failed");
    await run.do("directory", `${folder}/new`);
    const { report, result } = await run.do("shell", "test -e file", look);
    expect(report).toMatchObject({ status: "ok", changes: [] });
    expect(result).toMatchObject({ rc: null, stdout: "" });
    await run.do("shell", `mkdir ${folder}/other`);
    expect((await run.do("shell", "pwd", { readOnly: true, cwd: `${folder}/other` })).report.status).toBe(
      "ok",
    );
  });
});
