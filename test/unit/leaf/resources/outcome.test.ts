import { describe, expect, test } from "vitest";
import type { Result, ShellResult } from "../../../../engine/vocabulary/resources.js";
import { tempFolder } from "../../controller/temp-folder.js";
import { look, Run } from "./stage.js";

describe("options of all resources", () => {
  test("a failure that is ignored is a result, and its report says failed and why", async () => {
    const folder = await tempFolder({ a: "x" });
    const ran = await new Run().do("directory", `${folder}/a`, { ignoreErrors: true });
    expect(ran.thrown).toBe(false);
    expect(ran.result).toEqual({
      changed: false,
      failed: true,
      skipped: false,
      changes: [],
      error: "a file stands there",
    });
    expect(ran.report).toMatchObject({ status: "failed", error: "a file stands there", ignored: true });
  });

  test("changedWhen is asked for the result and decides the status", async () => {
    const asked: Result[] = [];
    const changedWhen = (result: ShellResult) => {
      asked.push(result);
      return result.stdout.includes("yes");
    };
    const run = new Run();
    expect((await run.do("shell", "echo no", { changedWhen })).report).toMatchObject({
      status: "ok",
      changes: [],
    });
    expect((await run.do("shell", "echo yes", { changedWhen })).report).toMatchObject({
      status: "changed",
      changes: ["run"],
    });
    expect(asked.map(({ changed, changes }) => [changed, changes])).toEqual([
      [true, ["run"]],
      [true, ["run"]],
    ]);
  });

  test("failedWhen takes the place of the exit status", async () => {
    const run = new Run();
    const fine = await run.do("shell", "exit 3", { failedWhen: (result: ShellResult) => result.rc !== 3 });
    expect(fine.report).toMatchObject({ status: "changed" });
    expect(fine.result).toMatchObject({ rc: 3, failed: false });
    expect(fine.result.error).toBeUndefined();
    const bad = await run.do("shell", "echo error", {
      failedWhen: (r: ShellResult) => r.stdout.includes("error"),
    });
    expect(bad.report).toMatchObject({ status: "failed", error: '"failedWhen" says that the shell failed' });
    expect(bad.result).toMatchObject({ rc: 0 });
  });

  test.each([
    ["throws", () => JSON.parse("{"), '"changedWhen" threw an error'],
    ["gives no boolean", async () => true, '"changedWhen" must give true or false, not object'],
  ])("a changedWhen that %s is a failure", async (_, changedWhen, error) => {
    const { report } = await new Run().do("shell", "true", { changedWhen });
    expect(report.status).toBe("failed");
    expect(report.error).toContain(error);
  });

  test.each([
    [{ tags: "web" }, '"tags" must be a list of strings, not "web"'],
    [{ timeout: 0 }, '"timeout" must be a number of seconds above 0, not 0'],
    [{ ignoreError: true }, 'no option "ignoreError"'],
    [[], "its options must be an object, not a list"],
    [{ env: { A: 1 } }, '"env" must be an object of strings'],
  ])("options %j are refused in one sentence", async (options, error) => {
    const { report } = await new Run().do("shell", "true", options);
    expect(report.status).toBe("failed");
    expect(report.error).toContain(error);
    expect(report.error).not.toContain("\n");
  });

  test("a cancelled run fails its resource with the reason and changes nothing", async () => {
    const folder = await tempFolder();
    const controller = new AbortController();
    controller.abort(new Error("the operator pressed ^C"));
    const { report } = await new Run({ signal: controller.signal }).do("file", `${folder}/a`, {
      content: "x",
    });
    expect(report).toMatchObject({ status: "failed", error: "the operator pressed ^C" });
    expect(await look(folder)).toEqual({});
  });

  test("a timeout ends a write that hangs and leaves no temporary file", async () => {
    const folder = await tempFolder({ a: "old" });
    const before = await look(folder);
    const run = new Run();
    const slow = {
      find: () => ({ size: 9, hash: "other", chunks: [], executable: false }),
      async *stream() {
        yield Buffer.from("one");
        while (true) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          yield Buffer.from("");
        }
      },
    };
    Object.assign(run.context, { offered: slow });
    const { report } = await run.do("file", `${folder}/a`, { source: "s", timeout: 0.2 });
    expect(report).toMatchObject({ status: "failed", error: "it took longer than its timeout of 0.2 s" });
    expect(await look(folder)).toEqual(before);
  });
});

describe("shell", () => {
  test("gives status and output, and shows the output while it runs", async () => {
    const run = new Run();
    const { result, report } = await run.do("shell", "echo out; echo err >&2; exit 4", {
      ignoreErrors: true,
    });
    expect(result).toMatchObject({ rc: 4, stdout: "out\n", stderr: "err\n", failed: true });
    expect(report.error).toBe("the command ended with status 4: err");
    expect(run.output.sort()).toEqual(["stderr:err\n", "stdout:out\n"]);
  });

  test("has its folder, environment and input", async () => {
    const folder = await tempFolder();
    const { result } = await new Run().do("shell", 'pwd; printf "$X "; cat', {
      cwd: folder,
      env: { X: "a b" },
      stdin: new Uint8Array([104, 105]),
    });
    expect(result).toMatchObject({ stdout: `${folder}\na b hi` });
  });

  test("without stdin reads an empty one", async () => {
    expect((await new Run().do("shell", "cat; echo end")).result).toMatchObject({ stdout: "end\n" });
  });

  test("a folder that is missing is a failure that names it", async () => {
    const { report } = await new Run().do("shell", "true", { cwd: "/no/such" });
    expect(report.error).toBe("the command can't be started in the folder /no/such: it does not exist");
  });

  test("is not run under --check: changed, or skipped where changedWhen is false; no function is asked", async () => {
    const folder = await tempFolder();
    const run = new Run({ check: true });
    const never = () => {
      throw new Error("asked about a command that was not run");
    };
    const would = await run.do("shell", `touch ${folder}/a`, { changedWhen: never, failedWhen: never });
    expect(would.report).toMatchObject({ status: "changed", changes: ["run"] });
    expect(would.result).toMatchObject({ rc: null, stdout: "", stderr: "", changed: true });
    const skipped = await run.do("shell", `touch ${folder}/a`, { changedWhen: false });
    expect(skipped.report).toMatchObject({ status: "skipped", changes: [] });
    expect(skipped.result).toMatchObject({ rc: null, skipped: true, changed: false });
    expect(await look(folder)).toEqual({});
  });

  test("readOnly runs under --check too and never counts as a change", async () => {
    for (const check of [true, false]) {
      const { result, report } = await new Run({ check }).do("shell", "echo hi", { readOnly: true });
      expect(result).toMatchObject({ rc: 0, stdout: "hi\n", changed: false });
      expect(report).toMatchObject({ status: "ok", changes: [] });
    }
  });

  test("a result keeps beginning and end of endless output and drops what is between", async () => {
    const { result } = await new Run().do("shell", "echo first; yes 0123456789 | head -c 3000000; echo last");
    const { stdout } = result as ShellResult;
    expect(stdout.length).toBeLessThan(1_100_000);
    expect(stdout).toMatch(/^first\n/);
    expect(stdout).toMatch(/last\n$/);
    expect(stdout).toContain("characters left out");
  });
});

test("echo renders its text, says it to the operator under --check too, and is no change", async () => {
  for (const check of [true, false]) {
    const run = new Run({ check });
    expect((await run.do("echo", "port {{port}}", { vars: { port: 1 } })).report).toMatchObject({
      status: "ok",
    });
    expect(run.output).toEqual(["stdout:port <port>\n"]);
  }
});

describe("tries", () => {
  const count = (folder: string) => `echo x >>${folder}/tries; [ $(wc -l <${folder}/tries) -ge 3 ]`;

  test("a failure is tried again, and the last try counts", async () => {
    const folder = await tempFolder({});
    const ran = await new Run().do("shell", count(folder), { retries: 5, delay: 0 });
    expect(ran.report).toMatchObject({ status: "changed" });
    expect(Object.values(await look(folder))).toEqual(["file 0644 x\nx\nx\n"]);
  });

  test("with too few tries it fails for its last reason", async () => {
    const folder = await tempFolder({});
    const ran = await new Run().do("shell", count(folder), { retries: 1, delay: 0 });
    expect(ran.report).toMatchObject({ status: "failed", error: expect.stringContaining("status 1") });
  });

  test("until is asked for each result that did not fail, and fails it when it is never true", async () => {
    const folder = await tempFolder({});
    const until = (result: ShellResult) => result.stdout.trim() === "3";
    const command = `echo x >>${folder}/tries; wc -l <${folder}/tries`;
    expect((await new Run().do("shell", command, { until, delay: 0 })).result).toMatchObject({
      stdout: "3\n",
    });
    const never = await new Run().do("shell", command, { until, delay: 0, retries: 1 });
    expect(never.report).toMatchObject({ status: "failed", error: expect.stringContaining('"until"') });
  });

  test("under --check nothing is tried twice", async () => {
    const ran = await new Run({ check: true }).do("shell", "false", { until: () => false });
    expect(ran.report).toMatchObject({ status: "changed", changes: ["run"] });
  });

  test("what an earlier try changed stays a change", async () => {
    const folder = await tempFolder({});
    let asked = 0;
    const ran = await new Run().do("file", `${folder}/a`, {
      content: "x",
      until: () => ++asked === 2,
      delay: 0,
    });
    expect(ran.result).toMatchObject({ changed: true, failed: false });
  });
});
