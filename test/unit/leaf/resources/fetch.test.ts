import { createHash } from "node:crypto";
import { appendFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { fetchedFiles } from "../../../../engine/leaf/files/fetched.js";
import type { FetchEvent } from "../../../../engine/vocabulary/events.js";
import type { FetchResult } from "../../../../engine/vocabulary/resources.js";
import { tempFolder } from "../../controller/temp-folder.js";
import { Run } from "./stage.js";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** A leaf whose controller holds these files; `sent` is what goes up. */
function leaf(held: Record<string, string> = {}, during?: (event: FetchEvent) => Promise<void>) {
  const sent: FetchEvent[] = [];
  const events = {
    async fetch(event: FetchEvent) {
      sent.push(event);
      await during?.(event);
    },
  };
  const order = { held: { fetched: held }, host: { name: "l1", groups: [] } };
  return { sent, fetched: () => fetchedFiles({ fetchTo: ["fetched"] }, order, events) };
}

describe("fetch", () => {
  test("sends a file in pieces of 256 KiB that its hash and size come along with", async () => {
    const text = "0123456789".repeat(60_000);
    const at = `${await tempFolder({ a: text })}/a`;
    const { sent, fetched } = leaf();
    const { report, result } = await new Run({ fetched: fetched() }).do("fetch", at);
    expect(report).toMatchObject({ status: "changed", changes: ["fetch"] });
    expect((result as FetchResult).to).toBe(`fetched/l1${at}`);
    expect(sent.map(({ offset, bytes }) => [offset, bytes.length])).toEqual([
      [0, 262_144],
      [262_144, 262_144],
      [524_288, 75_712],
    ]);
    for (const event of sent)
      expect(event).toMatchObject({ folder: "fetched", path: at, size: text.length, hash: sha256(text) });
    expect(Buffer.concat(sent.map(({ bytes }) => bytes)).toString()).toBe(text);
  });

  test.each([
    ["nothing where the controller has it already", { held: "x", changes: [] }],
    ["it where the controller has another content", { held: "y", changes: ["fetch"] }],
  ])("sends %s, as a check says", async (_, { held, changes }) => {
    const at = `${await tempFolder({ a: "x" })}/a`;
    const { sent, fetched } = leaf({ [at]: sha256(held) });
    const run = (check: boolean) => new Run({ fetched: fetched(), check, diff: true }).do("fetch", at);
    const planned = await run(true);
    expect(sent).toEqual([]);
    expect(await run(false)).toEqual(planned);
    expect(planned.report.changes).toEqual(changes);
    expect(sent).toHaveLength(changes.length);
  });

  test.each([true, false])("of one file twice in a role is one change (check: %s)", async (check) => {
    const at = `${await tempFolder({ a: "x" })}/a`;
    const run = new Run({ fetched: leaf().fetched(), check });
    expect((await run.do("fetch", at)).report.changes).toEqual(["fetch"]);
    expect((await run.do("fetch", at)).report.changes).toEqual([]);
  });

  test("of a file that grows meanwhile fails, and its last piece stays behind", async () => {
    const text = "x".repeat(5_000_000);
    const at = `${await tempFolder({ a: text })}/a`;
    const { sent, fetched } = leaf({}, async () => appendFile(at, "more"));
    const { report } = await new Run({ fetched: fetched() }).do("fetch", at);
    expect(report.error).toBe("it changed while it was read");
    const arrived = sent.reduce((all, { bytes }) => all + bytes.length, 0);
    expect(arrived).toBeLessThan(text.length);
  });

  test.each([
    ["is too large", { maxSize: 3 }, '"maxSize" allows 3 to be fetched'],
    ["may be larger than any", { maxSize: 2 ** 30 }, '"maxSize" may be 268435456 at most'],
    ["goes to another folder", { to: "other" }, "literal string in the call of fetch"],
  ])("of a file that %s is refused", async (_, options, error) => {
    const at = `${await tempFolder({ a: "hello" })}/a`;
    const { sent, fetched } = leaf();
    const { report } = await new Run({ fetched: fetched() }).do("fetch", at, options);
    expect(report.error).toContain(error);
    expect(sent).toEqual([]);
  });

  test("of what is not there is refused, but not under --check where a command before may make it", async () => {
    const folder = await tempFolder();
    const run = new Run({ fetched: leaf().fetched(), check: true });
    expect((await run.do("fetch", `${folder}/a`)).report.error).toBe("it does not exist on the host");
    expect((await run.do("fetch", folder)).report.error).toBe("a folder stands there");
    await run.do("shell", "make");
    expect((await run.do("fetch", `${folder}/a`)).report.changes).toEqual(["fetch"]);
  });
});
