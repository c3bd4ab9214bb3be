import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { replaceFile } from "../../../../engine/leaf/files/atomic.js";
import { Files } from "../../../../engine/leaf/files/files.js";
import { rejection, tempFolder } from "../../controller/temp-folder.js";

const never = new AbortController().signal;

async function* pieces(...all: (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const piece of all) {
    if (piece instanceof Error) throw piece;
    yield Buffer.from(piece);
  }
}

async function job(at: string, content: AsyncIterable<Uint8Array>, signal = never) {
  const before = await new Files().entry(at);
  const attributes = before ?? { mode: 0o644, uid: process.geteuid!(), gid: process.getegid!() };
  return { path: at, before, attributes, content, signal };
}

describe("a file that is replaced", () => {
  test("is whole for a reader at any moment", async () => {
    const folder = await tempFolder({ a: "x" });
    const at = `${folder}/a`;
    const texts = ["x", "y".repeat(300_000), "z".repeat(1_000)];
    let on = true;
    let reads = 0;
    const reading = (async () => {
      for (; on; reads++) {
        const text = await readFile(at, "utf8");
        if (!texts.includes(text)) throw new Error(`a torn file of ${text.length} characters was read`);
      }
    })();
    for (let round = 0; round < 60; round++) await replaceFile(await job(at, pieces(texts[round % 3]!)));
    on = false;
    await reading;
    expect(reads).toBeGreaterThan(10);
    expect(await readdir(folder)).toEqual(["a"]);
  });

  test("stays as it was when its content breaks off, and no temporary file is left", async () => {
    const folder = await tempFolder({ a: "old" });
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    const error = await rejection(job(`${folder}/a`, pieces("new", full)).then(replaceFile));
    expect(error.message).toBe("it can't be written: no space left on the device");
    expect(await readFile(`${folder}/a`, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["a"]);
  });

  test("stays as it was when it is cancelled at the last moment", async () => {
    const folder = await tempFolder({ a: "old" });
    const controller = new AbortController();
    const content = (async function* () {
      yield Buffer.from("new");
      controller.abort(new Error("enough"));
    })();
    const error = await rejection(job(`${folder}/a`, content, controller.signal).then(replaceFile));
    expect(error.message).toBe("enough");
    expect(await readFile(`${folder}/a`, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["a"]);
  });

  test("is not overwritten where someone else changed it after it was planned", async () => {
    const folder = await tempFolder({ a: "old", b: "theirs" });
    const planned = await job(`${folder}/a`, pieces("new"));
    await rename(`${folder}/b`, `${folder}/a`);
    expect((await rejection(replaceFile(planned))).message).toContain("changed by someone else");
    expect(await readFile(`${folder}/a`, "utf8")).toBe("theirs");
    expect(await readdir(folder)).toEqual(["a"]);
  });

  test("is readable to nobody else before it has its own mode", async () => {
    const folder = await tempFolder();
    let mode = 0;
    const content = (async function* () {
      yield Buffer.from("secret");
      const [name] = await readdir(folder);
      mode = (await stat(`${folder}/${name}`)).mode & 0o777;
    })();
    await replaceFile(await job(`${folder}/a`, content));
    expect(mode).toBe(0o600);
    expect((await stat(`${folder}/a`)).mode & 0o777).toBe(0o644);
  });

  test("may have a name of the longest kind", async () => {
    const folder = await tempFolder();
    const name = "é".repeat(127);
    await replaceFile(await job(`${folder}/${name}`, pieces("x")));
    expect(await readdir(folder)).toEqual([name]);
  });

  test.skipIf(!canMount())("stays as it was on a full disk (needs leave to mount a tmpfs)", async () => {
    const folder = await tempFolder();
    const disk = `${folder}/disk`;
    await mkdir(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]);
    try {
      await writeFile(`${disk}/a`, "old");
      const error = await rejection(job(`${disk}/a`, pieces("x".repeat(200_000))).then(replaceFile));
      expect(error.message).toBe("it can't be written: no space left on the device");
      expect(await readFile(`${disk}/a`, "utf8")).toBe("old");
      expect(await readdir(disk)).toEqual(["a"]);
    } finally {
      execFileSync("umount", [disk]);
    }
  });
});

function canMount(): boolean {
  if (process.platform !== "linux" || process.geteuid?.() !== 0) return false;
  try {
    execFileSync(
      "sh",
      ["-c", 'd=$(mktemp -d) && mount -t tmpfs tmpfs "$d" && umount "$d"; r=$?; rmdir "$d"; exit $r'],
      { stdio: "ignore" },
    );
    return true;
  } catch {
    return false;
  }
}
