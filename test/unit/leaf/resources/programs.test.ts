import { execFileSync } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Facts } from "../../../../engine/vocabulary/facts.js";
import type { RanResult, ShellOptions, ShellResult } from "../../../../engine/vocabulary/resources.js";
import { tempFolder } from "../../controller/temp-folder.js";
import { offering, Run, type TypeName } from "./stage.js";

const play = async (type: TypeName, name: string, options: object = {}, run = new Run()) => {
  const { report, result } = await run.do(type, name, options);
  return { report, result: result as ShellResult, output: run.output };
};

/** A command that nothing but a timeout ends; the number tells these tests' own. */
const LONG = `sleep 71.${process.pid}`;

describe("a command", () => {
  test("gets its arguments as they are: no shell reads them", async () => {
    const args = ["%s|", "a b", "$HOME", "`id`", "*", "it's", ""];
    const { report, result } = await play("command", "printf", { args });
    expect(report).toMatchObject({ status: "changed", changes: ["run"] });
    expect(result).toMatchObject({ rc: 0, stdout: "a b|$HOME|`id`|*|it's||" });
  });

  test("has its folder, its variables and its input", async () => {
    const folder = await tempFolder();
    const { result } = await play("command", "sh", {
      args: ["-c", 'pwd; echo "$WHO"; cat'],
      cwd: folder,
      env: { WHO: "me" },
      stdin: "in",
    });
    expect(result.stdout).toBe(`${folder}\nme\nin`);
  });

  test.each([
    ["ends with another status", "sh", ["-c", "echo why >&2; exit 3"], "sh ended with status 3: why"],
    ["is not there", "no-such-program", [], "no-such-program ended with status 127"],
    ["is ended by a signal", "sh", ["-c", "kill -TERM $$"], "sh was ended by SIGTERM"],
  ])("that %s fails", async (_, program, args, error) => {
    // A shell gives 126 for what is nowhere where a folder of PATH may not be searched
    const { report } = await play("command", program, { args, env: { PATH: "/usr/bin:/bin" } });
    expect(report).toMatchObject({ status: "failed", error: expect.stringContaining(error) });
  });

  test("is not run under --check, but counts as a change; what only asks is run", async () => {
    const folder = await tempFolder();
    const check = new Run({ check: true });
    const planned = await play("command", "touch", { args: [`${folder}/a`] }, check);
    expect(planned.report).toMatchObject({ status: "changed", changes: ["run"] });
    expect(await readdir(folder)).toEqual([]);
    const asked = await play("command", "echo", { args: ["hi"], readOnly: true }, check);
    expect(asked.report).toMatchObject({ status: "ok" });
    expect(asked.result.stdout).toBe("hi\n");
  });

  test.each<[TypeName, string, object]>([
    ["shell", "touch made; rm -f gone", {}],
    ["command", "sh", { args: ["-c", "touch made; rm -f gone"] }],
    ["script", "bin/do.sh", {}],
  ])("%s: creates and removes let it run once", async (type, name, options) => {
    const offered = offering({ "bin/do.sh": "touch made; rm -f gone\n" });
    const guards = [
      ["creates", "made"],
      ["removes", "gone"],
    ] as const;
    // As a whole, or as the command itself sees it from its folder
    for (const [guard, file, whole] of guards.flatMap(([a, b]) => [
      [a, b, true] as const,
      [a, b, false] as const,
    ])) {
      const folder = await tempFolder({ gone: "" });
      const all = { ...options, cwd: folder, [guard]: whole ? `${folder}/${file}` : file };
      expect((await play(type, name, all, new Run({ offered, check: true }))).report.changes).toEqual([
        "run",
      ]);
      expect((await play(type, name, all, new Run({ offered }))).report.changes).toEqual(["run"]);
      const again = await play(type, name, all, new Run({ offered }));
      expect(again.report).toMatchObject({ status: "ok", changes: [] });
      expect(again.result.rc).toBeNull();
      expect((await play(type, name, all, new Run({ offered, check: true }))).report.changes).toEqual([]);
    }
  });

  test("that is not run again is not asked about: it neither fails nor changes anything, and is not tried anew", async () => {
    const folder = await tempFolder({ made: "" });
    const asked: (number | null)[] = [];
    const rule = ({ rc }: RanResult) => asked.push(rc) > 0 && rc > 1;
    const rules: ShellOptions = { changedWhen: true, failedWhen: rule, until: rule, delay: 0 };
    const { report } = await play("shell", "true", { ...rules, creates: `${folder}/made` });
    expect(report).toMatchObject({ status: "ok", changes: [] });
    expect(asked).toEqual([]);
    const ran = await play("shell", "exit 1", { failedWhen: rule });
    expect(ran.report.status).toBe("changed");
    expect(asked).toEqual([1]);
  });

  test("is not run under --check where what it makes was planned by a resource before it", async () => {
    const folder = await tempFolder();
    const run = new Run({ check: true });
    await run.do("file", `${folder}/a`, { content: "" });
    expect((await play("shell", "true", { creates: `${folder}/a` }, run)).report.changes).toEqual([]);
  });

  test("is shown as it speaks, not when it is over", async () => {
    const folder = await tempFolder();
    const told: string[] = [];
    const heard = new Run({
      async output(_, text) {
        told.push(text);
        // The command waits for this file: it was heard while it ran.
        if (text === "one\n") await writeFile(`${folder}/go`, "");
      },
    });
    const script = "echo one; while [ ! -e go ]; do sleep 0.02; done; echo two";
    const { report } = await play("command", "sh", { args: ["-c", script], cwd: folder, timeout: 10 }, heard);
    expect(report.error).toBeUndefined();
    expect(told).toEqual(["one\n", "two\n"]);
  });

  test.each<[TypeName, string, object]>([
    ["shell", `(${LONG}; :) & setsid sh -c 'trap : TERM; ${LONG}; ${LONG}' & ${LONG}`, {}],
    ["command", "sh", { args: ["-c", `${LONG} & trap '' TERM; ${LONG}; :`] }],
    ["script", "bin/slow.sh", {}],
  ])("%s: the timeout ends it with all that it started", async (type, name, options) => {
    const offered = offering({ "bin/slow.sh": `${LONG} & ${LONG}\n` });
    const { report } = await play(type, name, { ...options, timeout: 0.4 }, new Run({ offered }));
    expect(report.error).toBe("it took longer than its timeout of 0.4 s");
    expect(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })).not.toContain(LONG);
  });
});

describe("a script", () => {
  let spool: string;
  const tmpdir = process.env.TMPDIR;
  const left = async () => (await readdir(spool)).filter((name) => !name.startsWith("mop-test-"));
  beforeEach(async () => {
    spool = await tempFolder();
    process.env.TMPDIR = spool;
  });
  afterEach(() => {
    if (tmpdir === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = tmpdir;
  });

  test.each([
    [
      "by the program that its first line names",
      '#!/bin/sh -e\necho "$1,$2"; false; echo no\n',
      {},
      "a b,c\n",
      1,
    ],
    ["by /bin/sh where it names none", 'echo "$1,$2"\n', {}, "a b,c\n", 0],
    [
      "by the interpreter that is given",
      "console.log(process.argv.slice(2).join())\n",
      { interpreter: "node" },
      "a b,c\n",
      0,
    ],
    ["by an interpreter with arguments", "echo no\n", { interpreter: ["sh", "-n"] }, "", 0],
  ])("is run %s, and nothing of it is left", async (_, text, options, stdout, rc) => {
    const run = new Run({ offered: offering({ "bin/do.sh": text }) });
    const { result } = await play("script", "bin/do.sh", { args: ["a b", "c"], ...options }, run);
    expect(result).toMatchObject({ rc, stdout });
    expect(await left()).toEqual([]);
  });

  test("lies where nobody else can read it while it runs, under its own name", async () => {
    const run = new Run({
      offered: offering({ "bin/do.sh": 'stat -c %a "$(dirname "$0")" "$0"; basename "$0"\n' }),
    });
    const { result } = await play("script", "bin/do.sh", {}, run);
    expect(result.stdout).toBe("700\n700\ndo.sh\n");
  });

  test("is removed when it took too long", async () => {
    const run = new Run({ offered: offering({ "s.sh": "sleep 20\n" }) });
    const { report } = await play("script", "s.sh", { timeout: 0.3 }, run);
    expect(report.error).toContain("longer than its timeout");
    expect(await left()).toEqual([]);
  });
});

describe("waitFor", () => {
  const waits = async (options: object, run = new Run()) =>
    (await run.do("waitFor", "it is there", { timeout: 5, interval: 0.05, ...options })).report;

  async function listener(): Promise<net.Server> {
    const server = net.createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    return server;
  }
  const portOf = (server: net.Server) => (server.address() as AddressInfo).port;

  test("waits for a port to be listened on, and for it to be free", async () => {
    const first = await listener();
    const port = portOf(first);
    expect(await waits({ port })).toMatchObject({ status: "ok", changes: [] });
    const free = waits({ port, state: "absent" });
    await new Promise((resolve) => setTimeout(resolve, 150));
    await new Promise((resolve) => first.close(resolve));
    expect((await free).status).toBe("ok");
    const again = waits({ port });
    await new Promise((resolve) => setTimeout(resolve, 150));
    const second = net.createServer((socket) => socket.destroy());
    second.listen(port, "127.0.0.1");
    onTestFinished(() => void second.close());
    expect((await again).status).toBe("ok");
  });

  test("waits for a file, for what it holds, and for it to go", async () => {
    const folder = await tempFolder();
    const there = waits({ file: `${folder}/a`, contains: /^ready$/m });
    await writeFile(`${folder}/a`, "starting\n");
    await new Promise((resolve) => setTimeout(resolve, 120));
    await writeFile(`${folder}/a`, "starting\nready\n");
    expect((await there).status).toBe("ok");
    const gone = waits({ file: `${folder}/a`, state: "absent" });
    await rm(`${folder}/a`);
    expect((await gone).status).toBe("ok");
  });

  test("waits for a command to succeed, and for its output", async () => {
    const folder = await tempFolder();
    const command = `echo x >> ${folder}/n; cat ${folder}/n`;
    expect((await waits({ command, contains: "x\nx\nx\n" })).status).toBe("ok");
    expect(await readFile(`${folder}/n`, "utf8")).toBe("x\nx\nx\n");
  });

  test("waits for an address of the web to answer as it shall", async () => {
    let count = 0;
    const server = http.createServer((_, response) => {
      response.statusCode = ++count < 3 ? 503 : 200;
      response.end(count < 5 ? "warming up" : "fine");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${portOf(server)}/`;
    expect((await waits({ url })).status).toBe("ok");
    expect(count).toBe(3);
    expect((await waits({ url, contains: "fine" })).status).toBe("ok");
    expect(count).toBe(5);
    expect((await waits({ url, status: 404, timeout: 0.3 })).error).toContain(
      "it answered with the status 200",
    );
  });

  test.each([
    [{ port: 9 }, "nobody listens on 127.0.0.1:9"],
    [{ file: "/no/such/file" }, "/no/such/file does not exist"],
    [{ command: "exit 4" }, "the command ended with status 4"],
    [{ command: "echo no", contains: "yes" }, "its output does not contain yes"],
    [{ url: "http://127.0.0.1:9/" }, "nobody listens there"],
    [{ file: "/", state: "absent" }, "it is still so"],
  ])("gives %j up in time, and says what it saw last", async (options, why) => {
    // Long enough for a command to have ended at least once on a busy machine.
    const report = await waits({ ...options, timeout: 1.5 });
    expect(report.status).toBe("failed");
    expect(report.error).toContain("it is there: that did not come about in 1.5 s; ");
    expect(report.error).toContain(why);
  });

  test("says what it saw before, when the last look ends behind the deadline", async () => {
    const folder = await tempFolder();
    const command = `[ -e ${folder}/n ] || { touch ${folder}/n; exit 4; }; trap '' TERM; while :; do sleep 0.1; done`;
    const report = await waits({ command, timeout: 1.5 });
    expect(report.error).toBe(
      "it is there: that did not come about in 1.5 s; the command ended with status 4",
    );
  });

  test("ends a command that hangs", async () => {
    const report = await waits({ command: LONG, timeout: 0.3 });
    expect(report.status).toBe("failed");
    expect(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })).not.toContain(LONG);
  });

  test("does not wait under --check", async () => {
    expect((await waits({ port: 9 }, new Run({ check: true }))).status).toBe("ok");
  });
});

describe("assert and debugFacts", () => {
  test("assert fails under --check too", async () => {
    const { report } = await play("assert", "x", { that: false, message: "no" }, new Run({ check: true }));
    expect(report).toMatchObject({ status: "failed", error: "no" });
  });

  test("debugFacts shows facts as JSON, all of them or some", async () => {
    const facts = { hostname: "l1", distribution: { id: "debian" } } as Facts;
    const all = await play("debugFacts", "facts", {}, new Run({ facts }));
    expect(all.report).toMatchObject({ status: "ok" });
    expect(JSON.parse(all.output.join("").replace("stdout:facts: ", ""))).toEqual(facts);
    const some = await play(
      "debugFacts",
      "it",
      { only: ["distribution.id"] },
      new Run({ facts, check: true }),
    );
    expect(some.output).toEqual(['stdout:it: {\n  "distribution.id": "debian"\n}\n']);
  });
});
