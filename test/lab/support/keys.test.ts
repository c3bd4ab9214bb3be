import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import ssh2 from "ssh2";
import { afterAll, expect, test } from "vitest";
import { generateLabKey } from "../../../cli/lab/keys.js";
import { bundle } from "../../support/bundle.js";

const folder = mkdtempSync(path.join(os.tmpdir(), "mop-keys-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a lab's keys are what ssh2 reads, and sign for each other", () => {
  for (let count = 0; count < 300; count++) {
    const made = generateLabKey();
    const [secret, open] = [made.private, made.public].map((text) => ssh2.utils.parseKey(text));
    if (!secret || !open || secret instanceof Error || open instanceof Error) throw secret ?? open;
    const signature = secret.sign("data");
    if (signature instanceof Error) throw signature;
    expect(open.verify("data", signature)).toBe(true);
  }
});

test("many of them are made though the garbage collector runs at any moment", async () => {
  const entry = path.join(folder, "many.ts");
  const keys = path.resolve("cli/lab/keys.ts");
  writeFileSync(
    entry,
    `import { generateLabKey } from ${JSON.stringify(keys)};
let other = [];
for (let count = 0; count < 20_000; count++) {
  generateLabKey();
  // Else the collector's turn comes at the same moment of all of them
  other = Array.from({ length: count % 97 }, () => ({ count }));
}
console.log(other.length > 0 ? "made" : "");`,
  );
  const program = await bundle(entry, folder);
  const args = ["--max-semi-space-size=1", program];
  expect(
    execFileSync(process.execPath, args, { encoding: "utf8", timeout: 45_000, killSignal: "SIGKILL" }),
  ).toBe("made\n");
});
