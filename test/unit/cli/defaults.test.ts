import { chmod } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { targetOptions } from "../../../cli/connect.js";
import { KEYS } from "../../../cli/defaults/keys.js";
import { readDefaults } from "../../../cli/defaults/read-defaults.js";
import { withDefaults } from "../../../cli/defaults/with-defaults.js";
import { resolveInventory } from "../../../engine/controller/inventory/inventory.js";
import { routePlanner } from "../../../engine/controller/route/routes.js";
import { rejection, tempFolder } from "../controller/temp-folder.js";

/** Files of defaults as they may lie below a home and a /etc, all of them private. */
async function places(files: Record<string, string>) {
  const folder = await tempFolder(files);
  for (const name of Object.keys(files)) await chmod(path.join(folder, name), 0o600);
  return { home: path.join(folder, "home"), system: path.join(folder, "etc") };
}
async function read(files: Record<string, string>) {
  const warnings: string[] = [];
  const defaults = await readDefaults((text) => void warnings.push(text), await places(files));
  return { defaults, warnings };
}
const own = (text: string) => ({ "home/.mop/defaults.toml": text });

describe("defaults.toml", () => {
  it("is read in mop's words", async () => {
    const { defaults, warnings } = await read(
      own(`[ssh]
username = "deploy"
password = "-s3cret"
identity = "~/.ssh/fleet"
host_keys = "accept-new"
known_hosts = "/etc/mop/known_hosts"
connect_timeout = 12.5
[become]
user = "app"
method = "doas"
password = "b3come"
[push]
hop = "sealed"
pace = "plain"
[log]
path = "/var/log/mop.log"
enabled = false
`),
    );
    expect(defaults).toEqual({
      user: "deploy",
      password: "-s3cret",
      identity: "~/.ssh/fleet",
      hostKeys: "accept-new",
      knownHosts: "/etc/mop/known_hosts",
      connectTimeout: 12.5,
      becomeUser: "app",
      becomeMethod: "doas",
      becomePassword: "b3come",
      hop: "sealed",
      pace: "plain",
      log: "/var/log/mop.log",
      logEnabled: false,
    });
    expect(warnings).toEqual([]);
  });

  it("is read in OpsMop's words; what has no meaning here is said so", async () => {
    const { defaults, warnings } = await read({
      "home/.opsmop/defaults.toml": `[ssh]
username = "opsmop"
password = "opsmop"
check_host_keys = "ignore"
[sudo]
username = "root"
password = ""
[log]
path = "~/.opsmop/opsmop.log"
format = "%(message)s"
[python]
python_path = "/usr/bin/python3"
`,
    });
    expect(defaults).toEqual({
      user: "opsmop",
      password: "opsmop",
      hostKeys: "off",
      becomeUser: "root",
      log: "~/.opsmop/opsmop.log",
    });
    expect(warnings).toEqual([
      expect.stringMatching(/\.opsmop\/defaults\.toml: \[log\] format is ignored: /),
      expect.stringMatching(/\.opsmop\/defaults\.toml: \[python\] python_path is ignored: /),
    ]);
  });

  it.each([
    ["true", "strict"],
    ["false", "off"],
    ['"enforce"', "strict"],
    ['"accept"', "accept-new"],
  ])("check_host_keys = %s means %s", async (value, policy) => {
    const { defaults } = await read(own(`[ssh]\ncheck_host_keys = ${value}\n`));
    expect(defaults.hostKeys).toBe(policy);
  });

  it("of the first file that has a key counts: the user's, the system's, OpsMop's", async () => {
    const { defaults } = await read({
      "home/.mop/defaults.toml": `[ssh]\nusername = "one"\n`,
      "etc/mop/defaults.toml": `[ssh]\nusername = "two"\nconnect_timeout = 2\n`,
      "home/.opsmop/defaults.toml": `[ssh]\nconnect_timeout = 3\nhost_keys = "off"\n[sudo]\nusername = "three"\n`,
      "etc/opsmop/defaults.toml": `[ssh]\nhost_keys = "strict"\n[become]\nuser = "four"\nmethod = "su"\n`,
    });
    expect(defaults).toEqual({
      user: "one",
      connectTimeout: 2,
      hostKeys: "off",
      becomeUser: "three",
      becomeMethod: "su",
    });
  });

  it("with an unknown key is warned about, with file and key", async () => {
    const { defaults, warnings } = await read(own(`[ssh]\nuser = "x"\n[shh]\nport = 1\n`));
    expect(defaults).toEqual({});
    expect(warnings).toEqual([
      expect.stringMatching(/^\S*home\/\.mop\/defaults\.toml: \[ssh\] user is no default that mop knows; /),
      expect.stringMatching(/defaults\.toml: \[shh\] port is no default/),
    ]);
  });

  it.each([
    ['[ssh]\nusername = "-oProxyCommand=x"', /\[ssh\] username must be a name$/],
    ["[ssh]\nconnect_timeout = 0", /\[ssh\] connect_timeout must be a number of seconds above 0$/],
    ['[ssh]\nidentity = "keys/id"', /\[ssh\] identity must be a path that begins with \/ or ~\/$/],
    ['[become]\nmethod = "pbrun"', /\[become\] method must be one of sudo, su, doas$/],
    ['[push]\nhop = "local"', /\[push\] hop must be one of relay, sealed, jump, auto$/],
    ['[log]\nenabled = "maybe"', /\[log\] enabled must be one of true, false$/],
    ['username = "x"', /username stands in no section/],
    ["[ssh\n", /is no valid TOML/],
  ])("with %j is refused", async (text, message) => {
    expect((await rejection(read(own(text)))).message).toMatch(message);
  });

  it("with a password that others may read is warned about", async () => {
    const at = await places(own(`[ssh]\npassword = "s3cret"\n`));
    await chmod(path.join(at.home, ".mop/defaults.toml"), 0o640);
    const warnings: string[] = [];
    await readDefaults((text) => void warnings.push(text), at);
    expect(warnings).toEqual([
      expect.stringMatching(
        /defaults\.toml holds a password \(\[ssh\] password\), and others may read it \(mode 0640\); chmod 600/,
      ),
    ]);
    expect(warnings[0]).not.toContain("s3cret");
    // Without one anybody may
    const open = await places(own(`[ssh]\nusername = "x"\n`));
    await chmod(path.join(open.home, ".mop/defaults.toml"), 0o644);
    await readDefaults(() => expect.unreachable(), open);
  });

  it("is documented with every key", async () => {
    const { readFile } = await import("node:fs/promises");
    const text = await readFile(new URL("../../../docs/commands.md", import.meta.url), "utf8");
    for (const key of Object.keys(KEYS)) expect(text).toContain(`\`${key}\``);
  });
});

describe("command line and inventory stand over defaults", () => {
  const DEFAULTS = own(`[ssh]
username = "default-user"
password = "default-pass"
identity = "/keys/default"
host_keys = "off"
connect_timeout = 7
[become]
user = "default-app"
password = "default-become"
[push]
hop = "sealed"
[log]
path = "/var/log/mop.log"
`);
  const inventory = resolveInventory(
    {
      hosts: {
        plain: { vars: {} },
        named: { vars: { mop_user: "own", mop_password: "own-pass", mop_identity: "/keys/own" } },
        behind: { vars: { mop_via: "plain" } },
      },
    },
    "hosts",
  );
  async function routeOf(host: string, flags = {}) {
    const set = await withDefaults(flags, () => {}, await places(DEFAULTS));
    const options = await targetOptions({ output: "human", sshConfig: "none", ...set }, { note: () => {} });
    const route = await routePlanner(inventory, { ...options.routes, env: {} }).route(host);
    return { target: route.at(-1)!.target, first: route[0]!, set, options };
  }

  it("which fill in what both leave open", async () => {
    const { target, set, options } = await routeOf("plain");
    expect(target).toMatchObject({
      user: "default-user",
      password: "default-pass",
      hostKeys: "off",
      connectTimeoutMs: 7000,
    });
    expect(target.identityFiles[0]).toBe("/keys/default");
    expect(options.become).toMatchObject({ becomeUser: "default-app", becomePassword: "default-become" });
    expect(set.log).toEqual({ path: "/var/log/mop.log" });
    expect((await routeOf("behind")).first.kind).toBe("sealed");
  });

  it("the inventory's user, password and key", async () => {
    const { target } = await routeOf("named");
    expect(target).toMatchObject({ user: "own", password: "own-pass", identityFiles: ["/keys/own"] });
  });

  it("the command line's options", async () => {
    const { target } = await routeOf("plain", {
      user: "cli",
      hostKeys: "strict",
      connectTimeout: 1,
      identity: "~/k",
    });
    expect(target).toMatchObject({ user: "cli", hostKeys: "strict", connectTimeoutMs: 1000 });
    expect(target.identityFiles.slice(0, 2)).toEqual([expect.stringMatching(/\/k$/), "/keys/default"]);
    expect((await routeOf("behind", { hop: "jump" })).first.kind).toBe("jump");
  });

  it("and `[log] enabled = false` turns the leaves' logs off", async () => {
    const at = await places(own(`[log]\nenabled = false\npath = "/x"\n`));
    expect(await withDefaults({}, () => {}, at)).toEqual({ log: false });
  });

  it("and `[runtimes]` names a file with a Node for each platform", async () => {
    const at = await places(own(`[runtimes]\nlinux-arm64 = "~/node-arm64"\nlinux-x64-musl = "/opt/node"\n`));
    const { runtimes } = await withDefaults({}, () => {}, at);
    expect(runtimes).toEqual({ "linux-arm64": "~/node-arm64", "linux-x64-musl": "/opt/node" });
    await expect(
      readDefaults(() => {}, await places(own(`[runtimes]\nlinux-x64 = "node"\n`))),
    ).rejects.toThrow("[runtimes] linux-x64 must be a path that begins with / or ~/");
  });

  it("and `[audit]` puts the operator's own elsewhere or turns it off", async () => {
    const off = await places(own(`[audit]\nenabled = false\npath = "/x"\n`));
    expect(await withDefaults({}, () => {}, off)).toEqual({ audit: false });
    const elsewhere = await places(own(`[audit]\npath = "/x"\n`));
    expect(await withDefaults({}, () => {}, elsewhere)).toEqual({ audit: { path: "/x" } });
  });
});
