import { execFileSync } from "node:child_process";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { tempFolder } from "../../controller/temp-folder.js";
import { look, offering, Run } from "./stage.js";

const has = (program: string): boolean => {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

/** A folder with what archives find hard: long names, letters beyond ASCII, links, modes, an empty file, a large one. */
async function sample(): Promise<string> {
  const folder = await tempFolder({
    "s/a.txt": "hello\n",
    "s/empty": "",
    [`s/${"long".repeat(30)}/${"name".repeat(40)}`]: "long\n",
    "s/grün/ü🎈": "letters\n",
    "s/large": "0123456789\n".repeat(200_000),
    "s/bin/run": "#!/bin/sh\n",
  });
  await mkdir(path.join(folder, "s/nothing"));
  await chmod(path.join(folder, "s/bin/run"), 0o755);
  await chmod(path.join(folder, "s/a.txt"), 0o600);
  await symlink("../a.txt", path.join(folder, "s/bin/link"));
  return folder;
}

const PACKERS: readonly [string, string, string][] = [
  ["a tar of GNU's", "tar", "tar --format=gnu -cf o s"],
  ["a tar of POSIX's", "tar", "tar --format=posix -cf o s"],
  ["a tar.gz", "tar", "tar -czf o s"],
  [
    "a tar.gz of two parts",
    "tar",
    "tar -cf - s | split -b 200000 - p. && for f in p.*; do gzip -c $f; done > o",
  ],
  ["a tar.xz", "xz", "tar -cJf o s"],
  ["a tar.bz2", "bzip2", "tar -cjf o s"],
  ["a tar.zst", "zstd", "tar --zstd -cf o s"],
  ["a zip", "zip", "zip -qry o.zip s && mv o.zip o"],
  ["a zip that nothing was deflated in", "zip", "zip -qry0 o.zip s && mv o.zip o"],
];

describe("archives that real programs made", () => {
  for (const [what, program, command] of PACKERS)
    test.skipIf(!has(program))(
      `${what} is unpacked as it was packed, twice without change (needs ${program})`,
      async () => {
        const folder = await sample();
        execFileSync("sh", ["-c", command], { cwd: folder });
        const offered = offering({ o: await readFile(path.join(folder, "o")) });
        const play = async (check: boolean) =>
          (
            await new Run({ check, diff: true, offered }).do("archive", `${folder}/out`, {
              source: "o",
              strip: 1,
            })
          ).report;
        const planned = await play(true);
        expect(planned.error).toBeUndefined();
        expect(await play(false)).toEqual(planned);
        const {
          [Object.keys(await look(`${folder}/out`)).find((at) => at.startsWith(".mop-archive"))!]: _,
          ...tree
        } = await look(`${folder}/out`);
        expect(tree).toEqual(await look(`${folder}/s`));
        expect(await play(false)).toMatchObject({ status: "ok", changes: [] });
      },
    );

  test("an archive that lies on the host is unpacked, again when it is another one", async () => {
    const folder = await sample();
    const pack = () => execFileSync("tar", ["-czf", "o", "s"], { cwd: folder });
    const play = async () =>
      (await new Run().do("archive", `${folder}/out`, { file: `${folder}/o`, strip: 1 })).report.changes;
    pack();
    expect(await play()).toEqual(["unpack"]);
    expect(await play()).toEqual([]);
    await writeFile(path.join(folder, "s/a.txt"), "another\n");
    pack();
    expect(await play()).toEqual(["unpack"]);
    expect(await readFile(path.join(folder, "out/a.txt"), "utf8")).toBe("another\n");
  });

  test("a host without xz is told what to do", async () => {
    const folder = await tempFolder();
    const offered = offering({ o: Buffer.from("fd377a585a0000000000", "hex") });
    const run = new Run({ offered });
    const { children } = run;
    const without = {
      run: (command: Parameters<typeof children.run>[0]) =>
        children.run({ ...command, env: { ...command.env, PATH: "/nowhere" } }),
    };
    const { report } = await new Run({ offered, children: without }).do("archive", `${folder}/out`, {
      source: "o",
    });
    expect(report.error).toBe('the host has no program "xz" to unpack it; install it, or pack it as tar.gz');
  });

  test.skipIf(!has("xz"))("a damaged tar.xz is told (needs xz)", async () => {
    const folder = await tempFolder();
    const offered = offering({ o: Buffer.from("fd377a585a0000000000", "hex") });
    const { report } = await new Run({ offered }).do("archive", `${folder}/out`, { source: "o" });
    expect(report.error).toMatch(/^xz can't unpack it: .*/);
    expect(await look(folder)).toEqual({});
  });
});
