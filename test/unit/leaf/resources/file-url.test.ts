import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { tempFolder } from "../../controller/temp-folder.js";
import { tarOf } from "./make-archive.js";
import { look, Run } from "./stage.js";
import { webServer } from "./web-server.js";

const MODIFIED = { "last-modified": "Wed, 21 Oct 2015 07:28:00 GMT" };
const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const file = async (at: string, options: object, check = false) =>
  (await new Run({ check, diff: true }).do("file", at, options)).report;

// What is downloaded lies nowhere under a name, not for a moment.
let spool: string;
const tmpdir = process.env.TMPDIR;
beforeEach(async () => {
  spool = await tempFolder();
  process.env.TMPDIR = spool;
});
afterEach(async () => {
  if (tmpdir === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = tmpdir;
});

describe("a file from a URL", () => {
  test("is downloaded once; then the server is asked whether there is anything new, and gives nothing", async () => {
    const folder = await tempFolder();
    const { url, asked } = await webServer({ "/a": { body: "hello\n", headers: MODIFIED } });
    const at = `${folder}/a`;
    const planned = await file(at, { url: `${url}/a` }, true);
    expect(await look(folder)).toEqual({});
    expect(await file(at, { url: `${url}/a` })).toEqual(planned);
    expect(planned).toMatchObject({ changes: ["create"], diff: expect.stringContaining("+hello\n") });
    expect(await readFile(at, "utf8")).toBe("hello\n");
    expect((await stat(at)).mtime).toEqual(new Date(MODIFIED["last-modified"]));
    asked.length = 0;
    expect(await file(at, { url: `${url}/a` })).toMatchObject({ status: "ok", changes: [] });
    expect(asked).toEqual(["HEAD /a"]);
  });

  test("that was edited by hand is put right, though its size is the same", async () => {
    const folder = await tempFolder();
    const { url } = await webServer({ "/a": { body: "hello\n", headers: MODIFIED } });
    await file(`${folder}/a`, { url: `${url}/a` });
    await writeFile(`${folder}/a`, "jello\n");
    expect(await file(`${folder}/a`, { url: `${url}/a` })).toMatchObject({ changes: ["content"] });
    expect(await readFile(`${folder}/a`, "utf8")).toBe("hello\n");
  });

  test("is no change when a server that tells no times gives the same", async () => {
    const folder = await tempFolder({ a: "hello\n" });
    const { url, asked } = await webServer({ "/a": { body: "hello\n" } });
    expect(await file(`${folder}/a`, { url: `${url}/a` })).toMatchObject({ status: "ok", changes: [] });
    expect(asked).toEqual(["HEAD /a", "GET /a"]);
  });

  test("with a checksum that fits asks nobody", async () => {
    const folder = await tempFolder({ a: "hello\n" });
    const checksum = sha256("hello\n").toUpperCase();
    const report = await file(`${folder}/a`, { url: "http://127.0.0.1:9/a", checksum, mode: "0600" });
    expect(report).toMatchObject({ status: "changed", changes: ["mode"] });
  });

  test("whose content is not what the checksum says leaves the old file, and a check tells it", async () => {
    const folder = await tempFolder({ a: "old\n" });
    const { url } = await webServer({ "/a": { body: "evil\n" } });
    const options = { url: `${url}/a`, checksum: `sha256:${sha256("good\n")}` };
    const planned = await file(`${folder}/a`, options, true);
    expect(planned.error).toBe(
      `what ${url}/a gave has the SHA-256 ${sha256("evil\n")}, not the one that "checksum" says`,
    );
    expect(await file(`${folder}/a`, options)).toEqual(planned);
    expect(await look(folder)).toEqual({ a: "file 0644 old\n" });
  });

  test("that is large is downloaded once, and nothing of it has a name on the way", async () => {
    const folder = await tempFolder();
    const body = randomBytes(9_000_000);
    const { url, asked } = await webServer({ "/a": { body } });
    expect(await file(`${folder}/a`, { url: `${url}/a`, mode: 0o600 })).toMatchObject({
      changes: ["create"],
    });
    expect(sha256(await readFile(`${folder}/a`))).toBe(sha256(body));
    expect(asked).toEqual(["GET /a"]);
    expect((await readdir(spool)).filter((name) => !name.startsWith("mop-test-"))).toEqual([]);
    expect(await readdir(folder)).toEqual(["a"]);
  });

  test.each([
    ["is not there", "/no", "answered with the status 404"],
    ["breaks off", "/cut", "broke off"],
    ["redirects for ever", "/loop", "redirects more than 10 times"],
    ["redirects to another kind of address", "/ftp", "redirects to ftp://, which is not followed"],
  ])("that %s is told, and the old file stays", async (_, path, error) => {
    const folder = await tempFolder({ a: "old\n" });
    const { url } = await webServer({
      "/cut": { body: "hel", cut: true },
      "/loop": { status: 302, headers: { location: "/loop" } },
      "/ftp": { status: 301, headers: { location: "ftp://h/a" } },
    });
    const report = await file(`${folder}/a`, { url: `${url}${path}?token=SECRET` });
    const second = await file(`${folder}/a`, { url: `${url}${path}` });
    expect(report.status).toBe("failed");
    expect(second.error).toContain(error);
    expect(JSON.stringify(report)).not.toContain("SECRET");
    expect(await look(folder)).toEqual({ a: "file 0644 old\n" });
  });

  test("is followed where it moved to", async () => {
    const folder = await tempFolder();
    const { url } = await webServer({
      "/a": { status: 307, headers: { location: "b" } },
      "/b": { body: "b\n" },
    });
    await file(`${folder}/a`, { url: `${url}/a` });
    expect(await readFile(`${folder}/a`, "utf8")).toBe("b\n");
  });

  test("that was planned only is what a later resource of the check works with", async () => {
    const folder = await tempFolder();
    const { url } = await webServer({ "/a": { body: "hello\n" } });
    const play = async (check: boolean) => {
      const run = new Run({ check, diff: true });
      await run.do("file", `${folder}/a`, { url: `${url}/a` });
      return (await run.do("lineInFile", `${folder}/a`, { line: "more" })).report;
    };
    expect(await play(true)).toEqual(await play(false));
    expect(await readFile(`${folder}/a`, "utf8")).toBe("hello\nmore\n");
  });
});

describe("an archive from a URL", () => {
  test("is downloaded and unpacked once", async () => {
    const folder = await tempFolder();
    const body = tarOf([{ name: "a", content: "x" }]);
    const { url, asked } = await webServer({ "/a.tar": { body } });
    const options = { url: `${url}/a.tar`, checksum: sha256(body) };
    const run = async () => (await new Run().do("archive", `${folder}/o`, options)).report.changes;
    expect(await run()).toEqual(["unpack"]);
    expect(await readFile(`${folder}/o/a`, "utf8")).toBe("x");
    expect(await run()).toEqual([]);
    expect(asked).toEqual(["GET /a.tar"]);
  });
});
