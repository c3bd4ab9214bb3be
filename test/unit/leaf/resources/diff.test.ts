import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { contentDiff, MAX_DIFF, unifiedDiff } from "../../../../engine/leaf/files/diff.js";
import { tempFolder } from "../../controller/temp-folder.js";

const text = fc
  .tuple(
    fc.array(fc.constantFrom("a\n", "b\n", "c\n", "\n", "-x\n", "+y\n"), { maxLength: 30 }),
    fc.constantFrom("", "end"),
  )
  .map(([lines, end]) => lines.join("") + end);

/** What a diff makes of the text before; throws where it doesn't fit. Knows nothing of how diffs are made. */
function patch(before: string, diff: string): string {
  if (diff === "") return before;
  const old = before.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const out: string[] = [];
  let at = 0;
  const lines: string[] = [];
  for (const line of diff.match(/[^\n]*\n/g) ?? []) {
    if (line.startsWith("\\ ")) lines.push(lines.pop()!.slice(0, -1));
    else lines.push(line);
  }
  let numbers: RegExpExecArray | null = null;
  let counted = [0, 0];
  const check = () => {
    if (numbers) expect(counted.map(String)).toEqual([numbers[2] ?? "1", numbers[4] ?? "1"]);
  };
  for (const line of lines.slice(2)) {
    if (line.startsWith("@@ ")) {
      check();
      numbers = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@\n$/.exec(line)!;
      counted = [0, 0];
      const from = Number(numbers[1]) - (numbers[2] === "0" ? 0 : 1);
      while (at < from) out.push(old[at++]!);
      expect(out.length).toBe(Number(numbers[3]) - (numbers[4] === "0" ? 0 : 1));
      continue;
    }
    const [sign, rest] = [line[0], line.slice(1)];
    if (sign !== "+") {
      counted[0]!++;
      expect(old[at++]).toBe(rest);
    }
    if (sign !== "-") {
      counted[1]!++;
      out.push(rest);
    }
  }
  check();
  return [...out, ...old.slice(at)].join("");
}

test("a diff makes the new text of the old one, with line numbers that are right", () => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      const diff = unifiedDiff("a", "b", before, after);
      expect(diff === "").toBe(before === after);
      expect(patch(before, diff)).toBe(after);
    }),
    { numRuns: 1_000 },
  );
});

test.skipIf(!hasPatch())("patch(1) takes it too (needs patch)", async () => {
  const folder = await tempFolder();
  for (const [before, after] of fc.sample(fc.tuple(text, text), { numRuns: 25, seed: 7 })) {
    if (before === after || before === "" || after === "") continue;
    await writeFile(`${folder}/a`, before);
    execFileSync("patch", ["-s", `${folder}/a`], { input: unifiedDiff("a", "b", before, after) });
    expect(await readFile(`${folder}/a`, "utf8")).toBe(after);
  }
});

test("a diff has three lines around a change, as diff -u", () => {
  const before = Array.from({ length: 20 }, (_, n) => `${n}\n`).join("");
  expect(unifiedDiff("a", "b", before, before.replace("10\n", "ten\n"))).toBe(
    "--- a\n+++ b\n@@ -8,7 +8,7 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13\n",
  );
});

test("two long texts that have nothing in common are told apart in no time, and the diff is cut", () => {
  const lines = (word: string) => Array.from({ length: 40_000 }, (_, n) => `${word}${n}\n`).join("");
  const diff = unifiedDiff("a", "b", lines("x"), lines("y"));
  expect(diff.length).toBeLessThan(MAX_DIFF + 200);
  expect(diff).toMatch(/the rest of the diff is left out\]\n$/);
});

test("binary content is not shown", () => {
  expect(contentDiff("a", Buffer.from([0, 1]), Buffer.from([255, 254, 1]))).toBe(
    "binary content: 2 bytes -> 3 bytes\n",
  );
});

function hasPatch(): boolean {
  try {
    execFileSync("patch", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
