import { execFileSync } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { FileResult } from "../../../../engine/vocabulary/resources.js";
import { tempFolder } from "../../controller/temp-folder.js";
import { look, Run } from "./stage.js";

describe("a file with a backup", () => {
  test("is kept as it was, beside the new one, and the result says where", async () => {
    const folder = await tempFolder({ a: "old" });
    const old = await stat(`${folder}/a`);
    const { report, result } = await new Run().do("file", `${folder}/a`, { content: "new", backup: true });
    expect(report.changes).toEqual(["backup", "content"]);
    const { backup } = result as FileResult;
    expect(backup).toMatch(/\/a\.\d{8}T\d{9}Z~$/);
    expect(await readFile(backup!, "utf8")).toBe("old");
    expect(await stat(backup!)).toMatchObject({ mode: old.mode, mtimeMs: old.mtimeMs, uid: old.uid });
    expect(await readFile(`${folder}/a`, "utf8")).toBe("new");
  });

  test("is not kept again when nothing is new, nor when there was none", async () => {
    const folder = await tempFolder();
    for (const changes of [["create"], []]) {
      const { report, result } = await new Run().do("file", `${folder}/a`, { content: "x", backup: true });
      expect(report.changes).toEqual(changes);
      expect(result).not.toHaveProperty("backup");
    }
    expect(await readdir(folder)).toEqual(["a"]);
  });

  test("that is removed is kept too", async () => {
    const folder = await tempFolder({ a: "old" });
    const planned = await new Run({ check: true }).do("file", `${folder}/a`, { absent: true, backup: true });
    expect(planned.report.changes).toEqual(["backup", "remove"]);
    expect(await readdir(folder)).toEqual(["a"]);
    const { result } = await new Run().do("file", `${folder}/a`, { absent: true, backup: true });
    expect(await readFile((result as FileResult).backup!, "utf8")).toBe("old");
    expect(await readdir(folder)).toHaveLength(1);
  });

  test("leaves no copy when the new content is refused", async () => {
    const folder = await tempFolder({ a: "old" });
    await new Run().do("file", `${folder}/a`, { content: "new", backup: true, validate: "false %s" });
    expect(await look(folder)).toEqual({ a: "file 0644 old" });
  });

  test("is there for edits too", async () => {
    const folder = await tempFolder({ a: "old\n" });
    const { result } = await new Run().do("lineInFile", `${folder}/a`, { line: "x", backup: true });
    expect(await readFile((result as FileResult).backup!, "utf8")).toBe("old\n");
  });
});

describe("a file with a validate", () => {
  test("whose validate says more than a line tells the operator all of it", async () => {
    const folder = await tempFolder();
    const run = new Run();
    const validate = ": %s; printf 'line 3: no such word\\ntest failed\\n' >&2; exit 1";
    const { report } = await run.do("file", `${folder}/a`, { content: "x", validate });
    expect(report.error).toMatch(/ended with status 1: test failed$/);
    expect(run.output).toEqual(["stderr:line 3: no such word\ntest failed\n"]);
  });

  test("is not put in place when the command fails, and its last line is told", async () => {
    const folder = await tempFolder({ "app.conf": "port 1\n" });
    const { report } = await new Run().do("file", `${folder}/app.conf`, {
      content: "prot 2\n",
      validate: "grep -q port %s || { echo 'line 1: what is prot?' >&2; exit 3; }",
    });
    expect(report).toMatchObject({ status: "failed", changes: [] });
    expect(report.error).toContain("ended with status 3: line 1: what is prot?");
    expect(await look(folder)).toEqual({ "app.conf": "file 0644 port 1\n" });
  });

  test("is not made when the command fails", async () => {
    const folder = await tempFolder();
    const { report } = await new Run().do("file", `${folder}/a`, { content: "x", validate: "false %s" });
    expect(report.error).toContain("`false %s` ended with status 1");
    expect(await readdir(folder)).toEqual([]);
  });

  test("is looked at under a name in its folder that ends like its own, with its mode, however odd it is", async () => {
    const folder = await tempFolder();
    const name = "it's a $(touch bad) `x`.service";
    const { report } = await new Run().do("file", `${folder}/${name}`, {
      content: "x",
      mode: 0o600,
      validate: `stat -c '%%a' %s | grep -q 600; case %s in ${folder}/*.service) ;; *) exit 1;; esac`.replace(
        "%%",
        "%",
      ),
    });
    expect(report.error).toBeUndefined();
    expect(await readdir(folder)).toEqual([name]);
  });

  test("is not put in place when the command takes longer than the timeout, with all that it started", async () => {
    const folder = await tempFolder({ a: "old" });
    const long = `sleep 61.${process.pid}`;
    const options = { content: "new", validate: `${long} & ${long}; : %s`, timeout: 0.3 };
    const { report } = await new Run().do("file", `${folder}/a`, options);
    expect(report.error).toContain("longer than its timeout of 0.3 s");
    expect(await look(folder)).toEqual({ a: "file 0644 old" });
    expect(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })).not.toContain(long);
  });

  test("is not run under --check", async () => {
    const folder = await tempFolder();
    const validate = `touch ${folder}/ran; : %s`;
    await new Run({ check: true }).do("file", `${folder}/a`, { content: "x", validate });
    expect(await readdir(folder)).toEqual([]);
  });
});
