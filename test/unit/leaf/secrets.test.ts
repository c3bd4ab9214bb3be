import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Events } from "../../../engine/leaf/events.js";
import type { LeafEvent } from "../../../engine/vocabulary/events.js";
import { Masker } from "../../../engine/vocabulary/masker.js";
import type { WingModule } from "../../../relay/wing.js";
import { decodeValue } from "../../../transport/wire/value.js";
import { bundleForTest, FakeHost, loadWing, roleText } from "../../support/fake-wing.js";

const SECRET = "hunter2-0451";
let wing: WingModule;
let folder: string;

beforeAll(async () => {
  wing = loadWing(await bundleForTest("engine/leaf/main.ts"));
  folder = mkdtempSync(path.join(os.tmpdir(), "mop-secrets-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const said = (events: readonly LeafEvent[]): string =>
  events.map((event) => (event.event === "output" ? event.text : "")).join("");

describe("events", () => {
  function recorded() {
    const sent: LeafEvent[] = [];
    const emit = async (bytes: Uint8Array) => void sent.push(decodeValue(bytes) as unknown as LeafEvent);
    return { sent, events: new Events({ emit }, new Masker([SECRET])) };
  }

  test("have no secret in any of their texts", async () => {
    const { sent, events } = recorded();
    await events.resource("web", {
      type: "file",
      name: `/srv/${SECRET}`,
      status: "failed",
      changes: [`to ${SECRET}`],
      diff: `--- a\n+++ b\n@@ -1 +1 @@\n-old\n+${SECRET}\n`,
      error: `no ${SECRET}`,
      ms: 1,
    });
    await events.role("web", "failed", `it was ${SECRET}`);
    await events.notice(`a note of ${SECRET}`);
    await events.line("stderr", `${SECRET}!\n`);
    expect(sent).toMatchObject([
      {
        name: "/srv/********",
        changes: ["to ********"],
        diff: "--- a\n+++ b\n@@ -1 +1 @@\n-********\n+********\n",
        error: "no ********",
      },
      { error: "it was ********" },
      { event: "notice", text: "a note of ********" },
      { text: "********!\n" },
    ]);
  });

  test("hold a secret back that output is cut in, though the other stream and the console speak meanwhile", async () => {
    const { sent, events } = recorded();
    await events.output("stdout", "it is hunt");
    await events.output("stderr", "meanwhile\n");
    await events.line("stdout", "console\n");
    await events.output("stdout", "er2-04");
    await events.output("stdout", "51.\n");
    expect(sent.map((event) => event.event === "output" && event.text)).toEqual([
      "it is ",
      "meanwhile\n",
      "console\n",
      "********.\n",
    ]);
  });

  test("tell what only looked like a secret when the resource ends, before its own event", async () => {
    const { sent, events } = recorded();
    await events.output("stdout", "hun");
    await events.resource("web", { type: "shell", name: "x", status: "ok", changes: [], ms: 1 });
    expect(sent.map((event) => event.event)).toEqual(["output", "resource"]);
    expect(said(sent)).toBe("hun");
  });

  test("mask an end that has most of a secret: its command was killed in the middle of it", async () => {
    const { sent, events } = recorded();
    await events.output("stdout", "hunter2-04");
    await events.flushed();
    expect(said(sent)).toBe("********");
  });
});

describe("a role with secrets", () => {
  test("has their plain texts for its resources, and shows none of them", async () => {
    const at = path.join(folder, "app.conf");
    const main = roleText(`
      await file(vars.at, { content: "pw = " + vars.pw + "\\n" });
      await echo("the password is " + vars.pw + " and the token " + vars.token);
      await shell("printf %s $A; sleep 0.2; echo $B; echo $T >&2", {
        env: { A: vars.pw.slice(0, 7), B: vars.pw.slice(7), T: vars.token },
      });
      console.log(JSON.stringify({ pw: vars.pw }), Buffer.from("u:" + vars.token).toString("base64"));
      await shell("cat " + vars.at + " >&2; exit 3");`);
    const { events, result } = await new FakeHost().role(
      wing,
      main,
      { vars: { pw: SECRET, at }, secrets: [SECRET], diff: true },
      { token: "tok-93f0c2d1e8" },
      undefined,
      { secrets: ["tok-93f0c2d1e8"] },
    );
    expect(readFileSync(at, "utf8")).toBe(`pw = ${SECRET}\n`);
    const all = JSON.stringify([events, result]);
    expect(all).not.toContain("hunter2");
    expect(all).not.toContain("0451");
    expect(all).not.toContain("93f0c2d1e8");
    expect(all).not.toContain(Buffer.from("tok-93f0c2d1e8").toString("base64").slice(2, -4));
    expect(said(events)).toContain("the password is ******** and the token ********\n");
    expect(said(events)).toContain(`{"pw":"********"}`);
    expect(events).toContainEqual(
      expect.objectContaining({ type: "file", diff: expect.stringContaining("+pw = ********\n") }),
    );
    expect(result).toMatchObject({ status: "failed", error: expect.stringContaining("pw = ********") });
  });

  test("marks at run time what it reads on the host, and gets it back", async () => {
    const main = `const { secret } = require("mop");\n${roleText(`
      const key = secret((await shell("echo made-on-the-host", { readOnly: true })).stdout.trim());
      await echo(key.length + " " + key);
      throw new Error("no use for " + key);`)}`;
    const { events, result } = await new FakeHost().role(wing, main);
    expect(said(events)).toBe("made-on-the-host\n16 ********\n");
    expect(result).toMatchObject({ error: expect.stringMatching(/^no use for \*{8} \(role\.js/) });
  });

  test.each([
    [`"ab"`, "secret() was given a text of 2 characters; a secret has 3 at least"],
    [`""`, "secret() was given an empty text; a secret has 3 at least"],
    ["undefined", "secret() takes a text, and was given undefined"],
    ["[1]", "secret() takes a text, and was given a list"],
  ])("that can't be masked fails: secret(%s)", async (text, message) => {
    const main = `const { secret } = require("mop");\n${roleText(`secret(${text});`)}`;
    const { result } = await new FakeHost().role(wing, main);
    expect(result).toMatchObject({ status: "failed", error: expect.stringContaining(message) });
  });

  test("may have a default from the controller's environment, which is missing here", async () => {
    const main = `const { secret } = require("mop");
      exports.role = { name: "web", vars: { pw: secret(process.env.MOP_NO_SUCH) }, async main({ vars, echo }) { await echo(vars.pw); } };`;
    const { events, result } = await new FakeHost().role(wing, main, {
      vars: { pw: SECRET },
      secrets: [SECRET],
    });
    expect(result).toMatchObject({ status: "ok" });
    expect(said(events)).toBe("********\n");
  });
});
