import { mkdtempSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  frameMessage,
  MAX_MESSAGE,
  messageReader,
  type ToAccount,
} from "../../../engine/leaf/account/messages.js";
import type { RolePlan } from "../../../engine/vocabulary/order.js";
import type { WingModule } from "../../../relay/wing.js";
import type { Value } from "../../../transport/types.js";
import { until } from "../../support/alive.js";
import { bundleForTest, FakeHost, loadWing, roleText } from "../../support/fake-wing.js";

describe("messages of an account's process", () => {
  test("come out as they went in, however the stream is cut", () => {
    const messages: ToAccount[] = [
      { type: "order", order: { kind: "role" } },
      { type: "plan", id: 1, key: "file", name: "/a", options: { content: "x".repeat(70_000) } },
      { type: "blob", id: 2, body: Buffer.from([1, 2, 3]), error: null },
      { type: "apply", id: 1 },
    ];
    const all = Buffer.concat(messages.map(frameMessage));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1 }), (cuts) => {
        const read = messageReader<ToAccount>();
        const got: ToAccount[] = [];
        for (let at = 0, k = 0; at < all.length; k++) {
          const n = cuts[k % cuts.length]!;
          got.push(...read(all.subarray(at, at + n)));
          at += n;
        }
        expect(got.map((one) => JSON.stringify(one))).toEqual(messages.map((one) => JSON.stringify(one)));
      }),
    );
  });

  test("of a length beyond the bound are refused before anything is kept", () => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(MAX_MESSAGE + 1);
    expect(() => messageReader()(head)).toThrow(/too long/);
  });
});

const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)("resources of another user (needs root to become one)", () => {
  let wing: WingModule;
  let source: Buffer;
  let folder: string;
  beforeAll(async () => {
    const code = await bundleForTest("engine/leaf/main.ts");
    source = Buffer.from(code);
    wing = loadWing(code);
    folder = mkdtempSync(path.join(os.tmpdir(), "mop-account-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function play(body: string, changes: Partial<RolePlan> = {}, host = new FakeHost()) {
    host.source = source;
    const vars: Record<string, Value> = { at: folder };
    return host.role(wing, roleText(body), changes, vars);
  }

  test("run as that user, and report like any other", async () => {
    const { events, result } = await play(`
      await directory(vars.at, { mode: 0o777 });
      const own = await shell("id -un; pwd", { as: "nobody", readOnly: true });
      await file(vars.at + "/made", { content: own.stdout, as: "nobody" });
      await file(vars.at + "/made", { content: own.stdout, as: "nobody" });`);
    expect(result).toEqual({ kind: "role", status: "ok", error: null });
    expect(events.flatMap((event) => (event.event === "output" ? [event.text] : [])).join("")).toBe(
      "nobody\n/\n",
    );
    const files = events.flatMap((event) =>
      event.event === "resource" && event.type === "file" ? [event.status] : [],
    );
    expect(files).toEqual(["changed", "ok"]);
    expect(statSync(path.join(folder, "made")).uid).not.toBe(0);
  });

  test("have the same secrets, and what a type of the role's own marks there is masked here", async () => {
    const host = new FakeHost();
    host.source = source;
    const main = `const { secret, defineType } = require("mop");
      const keeper = defineType({ name: "keeper", options: {}, async plan(context, name) {
        const made = secret("made-by-" + context.facts.user.name);
        return { actions: [], readOnly: true, diff: "+" + made, async apply() {
          await context.output("stdout", "the type says " + made + "\\n");
          return [];
        } };
      } });
      exports.role = { name: "web", types: { keeper }, async main({ shell, keeper, vars }) {
        await shell("echo $P", { as: "nobody", readOnly: true, env: { P: vars.pw } });
        await keeper("it", { as: "nobody" });
      } };`;
    const { events, result } = await host.role(wing, main, {
      vars: { pw: "plan-s3cret" },
      secrets: ["plan-s3cret"],
    });
    expect(result).toEqual({ kind: "role", status: "ok", error: null });
    expect(events).toMatchObject([
      { event: "output", text: "********\n" },
      { type: "shell", status: "ok" },
      { event: "output", text: "the type says ********\n" },
      { type: "keeper", diff: "+********" },
      { event: "role" },
    ]);
  });

  test("share one process a user, which ends with the role", async () => {
    const { events } = await play(`
      const pid = async () => (await shell("echo $PPID $(ps -o ppid= $PPID)", { as: "nobody", readOnly: true })).stdout;
      await echo([await pid(), await pid(), await pid()].map((text) => text.trim().split(" ")[0]).join());`);
    const pids = events
      .flatMap((event) => (event.event === "output" ? [event.text.trim()] : []))
      .at(-1)!
      .split(",");
    expect(pids).toHaveLength(3);
    expect(new Set(pids).size).toBe(1);
    await until("the process of the account is gone", () => {
      try {
        process.kill(Number(pids[0]), 0);
        return false;
      } catch {
        return true;
      }
    });
  });

  test("have files, templates, diffs and functions of the result as any other", async () => {
    const host = new FakeHost();
    const files = { "a.txt": host.file("from the policy\n") };
    const { events, result } = await play(
      `const at = vars.at + "/copied";
       const made = await file(at, { source: "a.txt", as: "nobody", changedWhen: (result) => result.changes.length === 1 });
       const bad = await shell("exit 3", { as: "nobody", failedWhen: (result) => result.rc !== 3 });
       await echo([made.changed, bad.rc].join());`,
      { files, diff: true },
      host,
    );
    expect(result).toMatchObject({ status: "ok" });
    expect(events).toContainEqual(
      expect.objectContaining({ type: "file", diff: expect.stringContaining("+from the policy") }),
    );
    expect(events).toContainEqual(expect.objectContaining({ event: "output", text: "true,3\n" }));
  });

  test("fail with their own reason, as that user", async () => {
    const { result } = await play(`await file("/root/no", { content: "x", as: "nobody" });`);
    expect(result).toMatchObject({
      status: "failed",
      error: expect.stringMatching(/^file \/root\/no: .*denied/),
    });
  });

  test("whose user isn't there fail with a sentence", async () => {
    const { result } = await play(`await shell("true", { as: "nobody-there" });`);
    expect(result).toMatchObject({
      status: "failed",
      error: expect.stringMatching(/process that works as nobody-there has ended \(.*nobody-there/),
    });
  });

  test("are ended by their timeout, and their process goes on", async () => {
    const { result, events } = await play(`
      const late = await shell("sleep 30", { as: "nobody", timeout: 0.5, ignoreErrors: true });
      const next = await shell("echo still", { as: "nobody", readOnly: true });
      await echo(late.error + "; " + next.stdout.trim());`);
    expect(result).toMatchObject({ status: "ok" });
    expect(events).toContainEqual(
      expect.objectContaining({ text: expect.stringMatching(/timeout of 0.5 s; still\n/) }),
    );
  });

  test("that are one's own types travel there too", async () => {
    const host = new FakeHost();
    host.source = source;
    const { events, result } = await host.role(
      wing,
      `const mop = require("mop");
       const whoami = mop.defineType({ name: "whoami", options: {}, async plan(context, name) {
         const { stdout } = await context.exec("id", ["-un"]);
         return { actions: ["look"], apply: async () => ["look"], extra: () => ({ user: stdout.trim() }) };
       } });
       exports.role = { types: { whoami }, async main({ whoami, echo }) {
         await echo((await whoami("x", { as: "nobody" })).user);
       } };`,
    );
    expect(result).toMatchObject({ status: "ok" });
    expect(events).toContainEqual(expect.objectContaining({ text: "nobody\n" }));
  });

  test("are planned only under --check", async () => {
    const { events } = await play(`await file(vars.at + "/never", { content: "x", as: "nobody" });`, {
      check: true,
    });
    expect(events).toContainEqual(
      expect.objectContaining({ type: "file", status: "changed", changes: ["create"] }),
    );
    expect(() => statSync(path.join(folder, "never"))).toThrow();
  });
});
