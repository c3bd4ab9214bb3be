import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LeafEvent } from "../../../engine/vocabulary/events.js";
import type { WingModule } from "../../../relay/wing.js";
import { alive, until } from "../../support/alive.js";
import { bundleForTest, FakeHost, loadWing, roleText } from "../../support/fake-wing.js";

let wing: WingModule;
let folder: string;

beforeAll(async () => {
  wing = loadWing(await bundleForTest("engine/leaf/main.ts"));
  folder = mkdtempSync(path.join(os.tmpdir(), "mop-wing-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const resources = (events: readonly LeafEvent[]) =>
  events.flatMap((event) => (event.event === "resource" ? [`${event.type} ${event.status}`] : []));

test("a role's resources run and report in call order, though main awaits none of them", async () => {
  const at = path.join(folder, "order");
  const { events, result } = await new FakeHost().role(
    wing,
    roleText(
      `directory(vars.at); file(vars.at + "/a", { content: "1" }); shell("cp a b", { cwd: vars.at });`,
    ),
    {},
    { at },
  );
  expect(result).toEqual({ kind: "role", status: "ok", error: null });
  expect(resources(events)).toEqual(["directory changed", "file changed", "shell changed"]);
  expect(readFileSync(path.join(at, "b"), "utf8")).toBe("1");
  expect(events.at(-1)).toEqual({ event: "role", role: "web", status: "ok" });
});

test("an unawaited failure fails the role, and what was called before and after it ran", async () => {
  const { events, result } = await new FakeHost().role(
    wing,
    roleText(`shell("true"); shell("exit 3"); shell("true");`),
  );
  expect(resources(events)).toEqual(["shell changed", "shell failed", "shell changed"]);
  expect(result).toMatchObject({ kind: "role", status: "failed" });
  expect(result).toHaveProperty("error", expect.stringMatching(/status 3.* \(role\.js:2:16\)$/));
});

test("an awaited failure that nobody catches stops the role, with its place and without a stack", async () => {
  const { events, result } = await new FakeHost().role(
    wing,
    roleText(`await shell("exit 4");\nawait shell("true");`),
  );
  expect(resources(events)).toEqual(["shell failed"]);
  expect(result).toHaveProperty(
    "error",
    expect.stringMatching(/^shell exit 4: [^\n]*status 4[^\n]* \(role\.js:2:7\)$/),
  );
  expect(events.at(-1)).toMatchObject({ event: "role", status: "failed" });
});

test("a role catches a ResourceError of the class that mop gives it, and goes on", async () => {
  const main = roleText(`try { await shell("exit 5"); } catch (error) {
    if (!(error instanceof require("mop").ResourceError)) throw new Error("another class");
    await echo("rc " + error.result.rc);
  }`);
  const { events, result } = await new FakeHost().role(wing, main);
  expect(result).toMatchObject({ status: "ok" });
  expect(events).toContainEqual({ event: "output", stream: "stdout", text: "rc 5\n" });
});

test("a mistake in the role's code is told with its kind and place", async () => {
  const { result } = await new FakeHost().role(wing, roleText(`const nothing = undefined;\nnothing.port();`));
  expect(result).toHaveProperty(
    "error",
    expect.stringMatching(/^TypeError: .*undefined.* \(role\.js:3:9\)$/),
  );
});

test("a module that does not parse fails the role with one sentence", async () => {
  const { result } = await new FakeHost().role(wing, "exports.role = {{;");
  expect(result).toHaveProperty("error", expect.stringMatching(/^SyntaxError: [^\n]+$/));
});

test("tags leave out resources, which report that they were skipped", async () => {
  const main = roleText(`const one = await shell("true", { tags: ["a"] });
    const two = await shell("true", { tags: ["b"] });
    await echo([one.skipped, two.skipped, two.rc].join(" "), { tags: ["a"] });`);
  const { events } = await new FakeHost().role(wing, main, { tags: ["a"] });
  expect(resources(events)).toEqual(["shell changed", "shell skipped", "echo ok"]);
  expect(events).toContainEqual({ event: "output", stream: "stdout", text: "false true \n" });
});

test("host variables lie below the plan's, and --extra-vars over all", async () => {
  const { events } = await new FakeHost().role(
    wing,
    roleText(`await echo([vars.a, vars.b, vars.c, host.name, facts.node, check].join(" "));`),
    { vars: { b: "plan", c: "plan" }, extraVars: { c: "extra" } },
    { a: "host", b: "host", c: "host" },
  );
  expect(events).toContainEqual({
    event: "output",
    stream: "stdout",
    text: `host plan extra l1 ${process.version} false\n`,
  });
});

test("what role code writes to the console goes to the operator", async () => {
  const { events } = await new FakeHost().role(
    wing,
    roleText(`console.log("said %d", 1); console.error("warned");`),
  );
  expect(events.slice(0, 2)).toEqual([
    { event: "output", stream: "stdout", text: "said 1\n" },
    { event: "output", stream: "stderr", text: "warned\n" },
  ]);
});

test("packages, modules and plan are asked for in as few batches as can be", async () => {
  const host = new FakeHost();
  const greeting = host.add("exports.greet = (name) => 'hello ' + name;");
  const { events } = await host.role(
    wing,
    `const { greet } = require("greeting");\n${roleText(`await echo(greet(host.name));`)}`,
    { packages: { greeting } },
  );
  expect(events).toContainEqual({ event: "output", stream: "stdout", text: "hello l1\n" });
  expect(host.prefetched).toHaveLength(1);
  expect(host.prefetched[0]).toContain(greeting);
});

test("a command runs by the user's shell, with its output and status", async () => {
  const order = { kind: "command", command: "echo out; echo err >&2; exit 7", timeoutMs: null };
  const { events, result } = await new FakeHost().run(wing, order);
  expect(result).toEqual({ kind: "command", rc: 7, signal: null });
  expect(events).toContainEqual({ event: "output", stream: "stdout", text: "out\n" });
  expect(events).toContainEqual({ event: "output", stream: "stderr", text: "err\n" });
});

test("a command that a signal ended says which", async () => {
  const order = { kind: "command", command: "kill -TERM $$", timeoutMs: null };
  const { result } = await new FakeHost().run(wing, order);
  expect(result).toEqual({ kind: "command", rc: -1, signal: "SIGTERM" });
});

test("a command past its time is ended and said so", async () => {
  const { result } = await new FakeHost().run(wing, { kind: "command", command: "sleep 60", timeoutMs: 50 });
  expect(result).toMatchObject({
    kind: "error",
    message: "the command took longer than 0.05 s and was ended",
  });
});

test("cancelling ends the role and its children", async () => {
  const host = new FakeHost();
  const { result, children } = await host.role(
    wing,
    roleText(`await shell("echo started; sleep 60");`),
    {},
    {},
    (event) => {
      if (event.event === "output") host.cancel();
    },
  );
  expect(result).toEqual({ kind: "error", message: "the run was cancelled", stack: null });
  expect(children).toHaveLength(1);
  await until("the command's end", () => !alive(children[0]!));
});

test("cancelling ends a role that waits for something of its own", async () => {
  const host = new FakeHost();
  const main = roleText(`await echo("waiting"); await new Promise(() => {});`);
  const { result } = await host.role(
    wing,
    main,
    {},
    {},
    (event) => event.event === "output" && host.cancel(),
  );
  expect(result).toMatchObject({ kind: "error", message: "the run was cancelled" });
});

test("a call gives back a function's value; what no value is, is refused by name", async () => {
  const host = new FakeHost();
  const module = host.add(`exports.twice = async (n) => ({ n: n * 2 });
    exports.bad = () => () => 1;
    exports.large = () => "x".repeat(2 ** 20);
    exports.fails = () => { throw new Error("it is broken"); };`);
  const call = (name: string) =>
    host
      .run(wing, { kind: "call", module, packages: {}, export: name, args: [21] })
      .then(({ result }) => result);
  expect(await call("twice")).toEqual({ kind: "call", value: { n: 42 } });
  expect(await call("bad")).toMatchObject({
    message: expect.stringMatching(/^what the function "bad" gave can't be sent/),
  });
  expect(await call("large")).toMatchObject({ message: expect.stringContaining("too large") });
  expect(await call("fails")).toMatchObject({ kind: "error", message: "it is broken" });
  expect(await call("toString")).toMatchObject({ message: 'the module has no function "toString"' });
});

test("an order that this wing does not know is answered with an error", async () => {
  const { result } = await new FakeHost().run(wing, { kind: "dance" });
  expect(result).toMatchObject({
    kind: "error",
    message: 'this host\'s program does not know the order "dance"',
  });
});

test("file, directory and template change a host once, and find nothing to do the second time", async () => {
  const at = path.join(folder, "twice");
  const parts = { templates: await bundleForTest("engine/leaf/parts/templates.ts") };
  const run = async () => {
    const host = new FakeHost();
    const files = {
      "templates/app.j2": host.file("{% include 'head.j2' %}\nport={{ port }}\n"),
      "templates/head.j2": host.file("# {{ host.name }} by {{ facts.user.name | default('nobody') }}\n"),
      motd: host.file("welcome\n"),
    };
    const main = roleText(`await directory(vars.at, { mode: 0o750 });
      await file(vars.at + "/app.conf", { template: "templates/app.j2", mode: 0o640, vars: { port: 81 } });
      await file(vars.at + "/motd", { source: "motd" });
      await echo("port {{ port }} on {{ host.name }}");`);
    const plan = { files, parts: { templates: host.add(parts.templates) }, vars: { port: 80 } };
    return host.role(wing, main, plan, { at });
  };
  const first = await run();
  expect(first.result).toEqual({ kind: "role", status: "ok", error: null });
  expect(resources(first.events)).toEqual(["directory changed", "file changed", "file changed", "echo ok"]);
  expect(readFileSync(path.join(at, "app.conf"), "utf8")).toBe(
    `# l1 by ${os.userInfo().username}\nport=81\n`,
  );
  expect(first.events).toContainEqual({ event: "output", stream: "stdout", text: "port 80 on l1\n" });
  const second = await run();
  expect(resources(second.events)).toEqual(["directory ok", "file ok", "file ok", "echo ok"]);
});

test("a template's mistake fails its resource with the template's name and line", async () => {
  const host = new FakeHost();
  const files = { "a.j2": host.file("one\n{{ prot }}\n") };
  const parts = { templates: host.add(await bundleForTest("engine/leaf/parts/templates.ts")) };
  const main = roleText(`await file(vars.at, { template: "a.j2" });`);
  const { result } = await host.role(wing, main, { files, parts }, { at: path.join(folder, "never") });
  expect(result).toHaveProperty(
    "error",
    expect.stringContaining('"prot" is undefined (a.j2, line 2) (role.js:2:7)'),
  );
});
