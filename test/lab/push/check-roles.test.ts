import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab } from "../../support/lab.js";
import { built, type MopRun, mop, resourcesOf } from "../../support/mop.js";
import { policyFolder } from "../../support/policies.js";
import { tarOf } from "../../unit/leaf/resources/make-archive.js";

const PACK = tarOf([{ name: "packed", content: "one\n" }]);

/** Three roles, each of which builds on what the one before it would have done. */
const SOURCE = `
import { definePolicy, defineRole } from "mop";
const first = defineRole({ name: "first", async main({ vars, directory, file, copyTree, echo, shell }) {
  await directory(\`\${vars.root}/new\`, { mode: 0o750 });
  await file(\`\${vars.root}/new/conf\`, { content: "port = 1\\nname = a\\n" });
  await file(\`\${vars.root}/new/copied\`, { source: "big.txt" });
  await file(\`\${vars.root}/new/pack.tar\`, { source: "pack.tar" });
  await file(\`\${vars.root}/old\`, { absent: true });
  await file(\`\${vars.root}/there\`, { content: "now\\n", mode: 0o600 });
  await copyTree(\`\${vars.root}/tree\`, { source: "tree" });
  if (vars.command) await shell("true");
} });
const second = defineRole({ name: "second", async main({ vars, lineInFile, file, link, facts }) {
  await lineInFile(\`\${vars.root}/new/conf\`, { regexp: "^port", line: "port = 2" });
  await file(\`\${vars.root}/there\`, { content: "now\\n" });
  await file(\`\${vars.root}/new/copied\`, { source: "big.txt", mode: 0o755 });
  await lineInFile(\`\${vars.root}/new/copied\`, { line: "one more" });
  await link(\`\${vars.root}/old\`, { to: "there" });
} });
const third = defineRole({ name: "third", async main({ vars, file, blockInFile, directory, lineInFile, archive }) {
  await lineInFile(\`\${vars.root}/new/conf\`, { line: "port = 2" });
  await blockInFile(\`\${vars.root}/new/conf\`, { block: "more" });
  await directory(\`\${vars.root}/new\`, { mode: 0o700 });
  await file(\`\${vars.root}/tree/in/a\`, { content: "a\\n" });
  await lineInFile(\`\${vars.root}/tree/in/a\`, { line: "b" });
  await archive(\`\${vars.root}/unpacked\`, { file: \`\${vars.root}/new/pack.tar\` });
  await file(\`\${vars.root}/missing/a\`, { content: "x", ignoreErrors: true });
} });
export default definePolicy({ roles: [first, second, third].map((role) => ({ role, groups: ["web"] })) });
`;

describe.skipIf(!built)("a check over several roles", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await createLab({ leaves: 2 });
  });
  afterAll(() => lab.close());

  const policy = () =>
    policyFolder(SOURCE, { "big.txt": "some text\n".repeat(500), "tree/in/a": "a\n", "pack.tar": PACK });
  const told = (run: MopRun, leaf: string) =>
    resourcesOf(run, leaf).map(({ role, type, name, status, changes, diff, error }) => ({
      ...{ role, type, name, status, changes, diff, error },
    }));
  const root = (leaf: string) => lab.host(leaf).folder;

  test("says to the last word what the roles then do, though each builds on the one before", async () => {
    const { policy: file, remove } = policy();
    for (const leaf of lab.leaves) {
      writeFileSync(path.join(root(leaf), "old"), "old\n");
      writeFileSync(path.join(root(leaf), "there"), "before\n");
    }
    const push = (...args: string[]) => mop(["push", file, ...lab.options, "-o", "json", "--diff", ...args]);
    const checked = await push("--check");
    expect(existsSync(path.join(root("l1"), "new"))).toBe(false);
    const applied = await push();
    for (const leaf of lab.leaves) {
      expect(told(checked, leaf)).toEqual(told(applied, leaf));
      expect(told(applied, leaf).map(({ type, status }) => `${type} ${status}`)).toEqual([
        "directory changed",
        "file changed",
        "file changed",
        "file changed",
        "file changed",
        "file changed",
        "copyTree changed",
        "lineInFile changed",
        "file ok",
        "file changed",
        "lineInFile changed",
        "link changed",
        "lineInFile ok",
        "blockInFile changed",
        "directory changed",
        "file ok",
        "lineInFile changed",
        "archive changed",
        "file failed",
      ]);
    }
    expect(checked.status).toBe(applied.status);
    remove();
  });

  test("a check after it knows nothing of an earlier run's plans", async () => {
    const { policy: file, remove } = policy();
    const again = await mop(["push", file, ...lab.options, "-o", "json", "--check"]);
    const [first] = lab.leaves;
    // All is there but what each role does anew, since they undo each other's work.
    expect(told(again, first!)[0]).toMatchObject({ type: "directory", status: "changed", changes: ["mode"] });
    remove();
  });

  test("doubts from there on where a command was not run, also in a later role", async () => {
    const { policy: file, remove } = policy();
    for (const leaf of lab.leaves) mkdirSync(path.join(root(leaf), "keep"), { recursive: true });
    const checked = await mop(["push", file, ...lab.options, "-o", "json", "--check", "-e", "command=1"]);
    // The command may have made the folder.
    expect(told(checked, "l1").at(-1)).toMatchObject({ type: "file", status: "changed" });
    expect(readdirSync(root("l1"))).not.toContain("missing");
    remove();
  });
});
