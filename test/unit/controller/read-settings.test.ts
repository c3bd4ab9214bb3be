import os from "node:os";
import { describe, expect, test } from "vitest";
import { resolveInventory } from "../../../engine/controller/inventory/inventory.js";
import { readSettings } from "../../../engine/controller/route/read-settings.js";
import { type RouteOptions, routePlanner } from "../../../engine/controller/route/routes.js";
import type { SshGiven, SshSettings } from "../../../engine/controller/route/ssh-settings.js";
import type { RawInventory } from "../../../engine/vocabulary/inventory.js";
import { CIPHERS } from "../../../transport/ssh/algorithms.js";
import { rejection } from "./temp-folder.js";

const read = (...lines: string[]) => readSettings(lines.join("\n"), "web1");
const where = ["hostname 10.0.0.7", "port 2200", "user deploy"];

describe("readSettings", () => {
  test("expands tokens and variables of files, and the way's own tokens", () => {
    const settings = read(
      ...where,
      "identityfile %d/keys/%n-%h-%p-%r-%k-%u%%",
      "identityfile ${MOP_NOT_SET}/key",
      "certificatefile /certificates/%n.pub",
      "proxycommand nc -x %n:1 %h %p %r %% %d",
      "proxyjump jump-%n",
    );
    const { homedir, userInfo } = os;
    expect(settings.identityFiles).toEqual([
      `${homedir()}/keys/web1-10.0.0.7-2200-deploy-web1-${userInfo().username}%`,
    ]);
    expect(settings.certificateFiles).toEqual(["/certificates/web1.pub"]);
    expect(settings.proxyCommand).toBe("nc -x web1:1 10.0.0.7 2200 deploy % %d");
    expect(settings.proxyJump).toBe("jump-web1");
  });

  test("tells files with spaces apart as far as that shows, and never makes the system's file the first", () => {
    expect(read("userknownhostsfile /a b/known /c", "globalknownhostsfile /d").knownHostsFiles).toEqual([
      "/a b/known",
      "/c",
      "/d",
    ]);
    expect(read("userknownhostsfile one two").knownHostsFiles).toEqual(["one", "two"]);
    expect(read("userknownhostsfile none", "globalknownhostsfile /d").knownHostsFiles).toEqual([
      "/dev/null",
      "/d",
    ]);
  });

  test.each([
    [[], undefined],
    [["pubkeyauthentication true", "passwordauthentication yes"], undefined],
    [["pubkeyauthentication false"], ["keyboard-interactive", "password"]],
    [["passwordauthentication no", "kbdinteractiveauthentication no"], ["publickey"]],
    [["preferredauthentications gssapi-with-mic,password,publickey"], ["password", "publickey"]],
    [["preferredauthentications password,publickey", "passwordauthentication no"], ["publickey"]],
    [["preferredauthentications hostbased"], []],
  ])("%j leaves the methods %j", (lines, methods) => {
    expect(read(...lines).methods).toEqual(methods);
  });

  test("names what is not honoured and may be missed, and only where it is set", () => {
    const { unheeded } = read(
      "knownhostscommand /bin/keys %H",
      "verifyhostkeydns true",
      "pkcs11provider /lib/p11.so",
      "hostbasedauthentication no",
    );
    expect(unheeded).toEqual({
      hostKey: ["KnownHostsCommand /bin/keys %H", "VerifyHostKeyDNS yes"],
      login: ["PKCS11Provider /lib/p11.so"],
    });
    expect(read("knownhostscommand none", "verifyhostkeydns no", "pkcs11provider none").unheeded).toEqual({
      hostKey: [],
      login: [],
    });
  });
});

describe("targets", () => {
  const planner = (
    settings: SshSettings,
    raw: RawInventory = { hosts: { l1: {} } },
    more: RouteOptions = {},
  ) =>
    routePlanner(resolveInventory(raw, "inv"), {
      env: { USER: "me" },
      sshConfig: async (name) => (name === "l1" ? settings : {}),
      ...more,
    });
  const target = async (settings: SshSettings, raw?: RawInventory, more?: RouteOptions) =>
    (await planner(settings, raw, more).route("l1")).at(-1)!.target;

  test("ssh is told what is known of the account and the address, which Match and tokens go by", async () => {
    const asked: [string, SshGiven | undefined][] = [];
    const raw: RawInventory = {
      hosts: { l1: { vars: { mop_user: "own", mop_port: 23, mop_host: "1.2.3.4", mop_via: "x@b1:24" } } },
    };
    const sshConfig = async (name: string, given?: SshGiven) => {
      asked.push([name, given]);
      return {};
    };
    await planner({}, raw, { sshConfig, user: "all" }).route("l1");
    expect(asked).toContainEqual(["l1", { user: "own", port: 23, hostName: "1.2.3.4" }]);
    expect(asked).toContainEqual(["b1", { user: "x", port: 24, hostName: undefined }]);
    expect(asked).toHaveLength(2);
  });

  test("algorithms are those of ours that are allowed, in our order; none left is an error", async () => {
    const cipher = ["chacha20-poly1305@openssh.com", "aes256-ctr", "aes128-ctr"];
    expect((await target({ algorithms: { cipher } })).algorithms).toEqual({
      cipher: ["aes128-ctr", "aes256-ctr"],
    });
    expect((await target({ algorithms: { cipher: [...CIPHERS, "3des-cbc"] } })).algorithms).toBeUndefined();
    const nothing = rejection(target({ algorithms: { cipher: ["chacha20-poly1305@openssh.com"] } }));
    expect((await nothing).message).toMatch(
      /^ssh's configuration allows l1 no Ciphers but chacha20-poly1305@openssh\.com, and mop has none of these; one of aes128-gcm/,
    );
    const macs = { hmac: ["umac-64@openssh.com"] };
    expect((await rejection(target({ algorithms: macs }))).message).toMatch(/no MACs but umac-64/);
    // With GCM there is none
    const gcm = { ...macs, cipher: ["aes128-gcm@openssh.com"] };
    expect((await target({ algorithms: gcm })).algorithms).toEqual({ cipher: ["aes128-gcm@openssh.com"] });
  });

  test("NoHostAuthenticationForLocalhost is for what this machine connects to at itself", async () => {
    const settings = { hostName: "127.0.0.1", trustsLoopback: true };
    expect((await target(settings)).hostKeys).toBe("off");
    expect((await target({ ...settings, hostName: "127.example" })).hostKeys).toBe("strict");
    expect((await target({ ...settings, hostKeyAlias: "x" })).hostKeys).toBe("strict");
    expect((await target({ ...settings, proxyCommand: "nc" })).hostKeys).toBe("strict");
    expect((await target(settings, { hosts: { l1: { vars: { mop_via: "b1" } } } })).hostKeys).toBe("strict");
    expect((await target(settings, undefined, { hostKeys: "strict" })).hostKeys).toBe("strict");
  });

  test("BindAddress and AddressFamily are for what this machine connects to", async () => {
    const settings = { bindAddress: "10.0.0.1" };
    expect(await target(settings)).toMatchObject({ bindAddress: "10.0.0.1", family: 4 });
    expect(await target({ bindAddress: "fd00::1" })).toMatchObject({ family: 6 });
    expect(await target(settings, { hosts: { l1: { vars: { mop_via: "b1" } } } })).not.toHaveProperty(
      "bindAddress",
    );
    expect((await rejection(target({ bindAddress: "eth0" }))).message).toMatch(
      /takes an address there, no name/,
    );
  });

  test("names that mean something to a shell are never put into a ProxyCommand", async () => {
    const proxyCommand = "nc a 1";
    for (const more of [{ user: "a;b" }, { user: "$(x)" }, { hostName: "a`b`" }, { hostName: "-x" }])
      expect((await rejection(target({ proxyCommand, ...more }))).message).toMatch(
        /^".*" can't be put into the ProxyCommand .* for l1, since it means something to a shell$/,
      );
    expect(await target({ proxyCommand, user: "domain.user_1", hostName: "::1" })).toMatchObject({
      proxyCommand,
    });
  });

  test("a ProxyCommand counts for a host that nothing else says the way to", async () => {
    const settings = { proxyCommand: "nc a 1" };
    expect((await target(settings)).proxyCommand).toBe("nc a 1");
    for (const via of ["", "b1"])
      expect(await target(settings, { hosts: { l1: { vars: { mop_via: via } } } })).not.toHaveProperty(
        "proxyCommand",
      );
    expect(await target(settings, undefined, { via: ["b1"] })).not.toHaveProperty("proxyCommand");
    const chain: RawInventory = {
      hosts: { l2: { vars: { mop_via: "l1" } }, l3: { vars: { mop_via: "b1,l1" } } },
    };
    const first = async (name: string) =>
      (await planner(settings, chain).route(name)).map((hop) => hop.target.proxyCommand);
    expect(await first("l2")).toEqual(["nc a 1", undefined]);
    expect(await first("l3")).toEqual([undefined, undefined, undefined]);
    // What a group says of all goes through this host first: of its own way that says nothing
    const group: RawInventory = { groups: { all: { hosts: { l1: "", l2: "" }, vars: { mop_via: "l1" } } } };
    expect((await planner(settings, group).route("l1")).map((hop) => hop.target.proxyCommand)).toEqual([
      "nc a 1",
    ]);
  });
});
