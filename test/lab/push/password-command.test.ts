import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { createLab, type Lab } from "../../support/lab.js";
import { built, mop, unreachableOf } from "../../support/mop.js";

const SECRET = "p4ss of the pass";

describe.skipIf(!built)("mop_password_command", () => {
  let lab: Lab;
  afterEach(() => lab.close());

  const locked = (command: string) => ({
    acceptsKey: false,
    password: SECRET,
    vars: { mop_password_command: command },
  });

  test("logs in behind bastions, once for all hosts, not for hosts that take the key, and shows nowhere", async () => {
    const command = `echo run >> runs; echo '${SECRET}'`;
    lab = await createLab({
      hosts: {
        b2: locked(command),
        l1: locked(command),
        l2: locked(command),
        l3: { vars: { mop_password_command: "echo run >> wrong" } },
      },
    });
    const run = await mop(["run", ...lab.options, "-v", "-o", "json", "--", `echo ${SECRET}`]);
    expect(run.status, run.stderr).toBe(0);
    const folder = path.dirname(lab.inventoryFile);
    expect(readFileSync(path.join(folder, "runs"), "utf8")).toBe("run\n");
    expect(() => readFileSync(path.join(folder, "wrong"))).toThrow("ENOENT");
    expect(run.stdout + run.stderr).not.toContain(SECRET);
    expect(run.stdout).toContain("********");
  });

  test("that fails makes its host unreachable, with the last line of its stderr; the others go on", async () => {
    lab = await createLab({ leaves: 2, hosts: { l1: locked("echo 'no such entry' >&2; exit 7") } });
    const run = await mop(["ping", ...lab.options, "-o", "json"]);
    expect(run.status).toBe(4);
    expect(unreachableOf(run)).toEqual([
      {
        event: "host",
        host: "l1",
        state: "unreachable",
        at: "l1",
        code: "PASSWORD_COMMAND",
        reason: "l1: mop_password_command failed with status 7: no such entry",
      },
    ]);
  });

  test("for becoming another account answers sudo, and is asked for no earlier", async () => {
    lab = await createLab({ bastions: 0, leaves: 1 });
    const { folder } = lab;
    const asks = `printf '%s' "$3" >&2; IFS= read -r word; [ "$word" = '${SECRET}' ] || exit 1`;
    const script = `#!/bin/sh\n${asks}\nwhile [ "$1" != sh ]; do shift; done; exec "$@"\n`;
    writeFileSync(path.join(folder, "sudo"), script, { mode: 0o755 });
    const inventory = path.join(folder, "here.toml");
    const command = JSON.stringify(`echo run >> runs; echo '${SECRET}'`);
    writeFileSync(
      inventory,
      `[hosts.here.vars]\nmop_hop = "local"\nmop_become_user = "shop"\nmop_become_password_command = ${command}\n`,
    );
    const env = { PATH: `${folder}:${process.env.PATH}` };
    const plain = await mop(["run", "-i", inventory, "-o", "json", "--", "true"], { env });
    expect(plain.status, plain.stdout).toBe(0);
    expect(() => readFileSync(path.join(folder, "runs"))).toThrow("ENOENT");
    const run = await mop(["run", "-i", inventory, "-b", "-o", "json", "--", "echo done"], { env });
    expect(run.status, run.stdout + run.stderr).toBe(0);
    expect(run.stdout).toContain("done");
    expect(run.stdout + run.stderr).not.toContain(SECRET);
    expect(readFileSync(path.join(folder, "runs"), "utf8")).toBe("run\n");
  });
});
