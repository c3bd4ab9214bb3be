import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { resolveInventory } from "../../../engine/controller/inventory/inventory.js";
import { becomeOf } from "../../../engine/controller/route/become.js";
import { connectionVars } from "../../../engine/controller/route/connection-vars.js";
import { routePlanner } from "../../../engine/controller/route/routes.js";
import { passwordCommands } from "../../../engine/controller/secrets/password-commands.js";
import { markedSecrets } from "../../../engine/vocabulary/secret.js";
import { rejection, tempFolder } from "./temp-folder.js";

const runs = (folder: string) => readFileSync(path.join(folder, "runs"), "utf8").trim().split("\n").length;

describe("a password command", () => {
  it("gives the first line that it prints, marked as secret, and runs once however many ask", async () => {
    const folder = await tempFolder({});
    const passwords = passwordCommands({ folder });
    const command = "echo run >> runs; printf 's3cret of \\303\\251\\r\\nlogin: me\\n'";
    const asked = ["l1", "l2", "l3"].map((host) => passwords(command, host)());
    expect(await Promise.all(asked)).toEqual(Array(3).fill("s3cret of é"));
    expect(await passwords(command, "l4")()).toBe("s3cret of é");
    expect(runs(folder)).toBe(1);
    expect(markedSecrets().has("s3cret of é")).toBe(true);
    expect(await passwords("echo another; echo run >> runs", "l5")()).toBe("another");
    expect(runs(folder)).toBe(2);
  });

  it("isn't run before somebody asks for its password", async () => {
    const folder = await tempFolder({});
    passwordCommands({ folder })("echo run >> runs", "l1");
    const raw = { hosts: { l1: { vars: { mop_password_command: "echo run >> runs; echo word" } } } };
    const [hop] = await routePlanner(resolveInventory(raw, "inv"), { folder }).route("l1");
    expect(() => runs(folder)).toThrow("ENOENT");
    expect(await (hop!.target.password as () => Promise<string>)()).toBe("word");
    expect(runs(folder)).toBe(1);
  });

  it.each([
    ["echo first >&2; echo 'gpg: no\u001b[31m key' >&2; exit 3", "failed with status 3: gpg: no [31m key"],
    ["echo hidden; exit 1", "failed with status 1: it didn't say why"],
    ["kill -9 $$", "was ended by SIGKILL: it didn't say why"],
    ["echo; echo second", "printed no password: the first line of its output is empty"],
  ])("that doesn't do is one sentence without what it printed: %s", async (command, why) => {
    const error = await rejection(passwordCommands()(command, "l1: mop_password_command")());
    expect(error).toMatchObject({ code: "PASSWORD_COMMAND", message: `l1: mop_password_command ${why}` });
  });

  it("that hangs is killed when the run is cancelled", async () => {
    const stop = new AbortController();
    const asking = rejection(passwordCommands({ signal: stop.signal })("exec sleep 60", "l1")());
    stop.abort();
    expect(await asking).toMatchObject({ code: "PASSWORD_COMMAND" });
  });
});

describe("passwords come", () => {
  const targetOf = async (vars: Record<string, string>, host = "l1") => {
    const raw = { hosts: { l1: { vars: { mop_via: "b1", ...vars } }, b1: { vars } } };
    const hops = await routePlanner(resolveInventory(raw, "inv"), { password: "asked" }).route("l1");
    const { password } = hops.find(({ target }) => target.name === host)!.target;
    return typeof password === "function" ? password() : password;
  };

  it("from the inventory, as text or by command, before --ask-pass; the latter for targets only", async () => {
    expect(await targetOf({})).toBe("asked");
    expect(await targetOf({}, "b1")).toBeUndefined();
    expect(await targetOf({ mop_password: "text" })).toBe("text");
    expect(await targetOf({ mop_password_command: "echo printed" })).toBe("printed");
    expect(await targetOf({ mop_password_command: "echo printed" }, "b1")).toBe("printed");
    expect(await targetOf({ mop_password: "", mop_password_command: "echo printed" })).toBe("printed");
  });

  it("for becoming somebody in the same order", async () => {
    const passwordOf = async (vars: Record<string, string>) => {
      const run = passwordCommands();
      const options = { becomePassword: "asked" };
      const become = becomeOf(true, connectionVars(vars, "l1"), options, (command) => run(command, "l1"));
      return typeof become?.password === "function" ? become.password() : become?.password;
    };
    expect(await passwordOf({})).toBe("asked");
    expect(await passwordOf({ mop_become_password: "text" })).toBe("text");
    expect(await passwordOf({ mop_become_password_command: "echo printed" })).toBe("printed");
  });

  it.each(["mop_password", "mop_become_password"])("not from %s and its command at once", (name) => {
    expect(() => connectionVars({ [name]: "x", [`${name}_command`]: "echo y" }, "inv: host l1")).toThrow(
      `inv: host l1: ${name} and ${name}_command are both set; empty one of them`,
    );
  });
});
