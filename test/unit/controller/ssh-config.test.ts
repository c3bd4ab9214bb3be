import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSettings } from "../../../engine/controller/route/read-settings.js";
import { openSshLookup } from "../../../engine/controller/route/ssh-config.js";

const hasSsh = (() => {
  try {
    execFileSync("ssh", ["-V"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

const home = os.homedir();

describe("readSettings", () => {
  test("reads what ssh -G prints, with `~` and several files in a line", () => {
    const settings = readSettings(
      [
        "host web1",
        "hostname 10.0.0.7",
        "user deploy",
        "port 2222",
        "identityfile ~/.ssh/id_web",
        "identityfile /keys/with a space",
        "identitiesonly yes",
        "proxyjump ops@b1:2200,b2",
        "userknownhostsfile ~/.ssh/known_hosts /etc/more",
        "globalknownhostsfile none",
        "stricthostkeychecking accept-new",
        "connecttimeout 7",
        "serveraliveinterval 15",
        "hostkeyalias web",
        "identityagent none",
      ].join("\n"),
      "web1",
    );
    expect(settings).toMatchObject({
      hostName: "10.0.0.7",
      user: "deploy",
      port: 2222,
      identityFiles: [path.join(home, ".ssh/id_web"), "/keys/with a space"],
      identitiesOnly: true,
      proxyJump: "ops@b1:2200,b2",
      proxyCommand: undefined,
      knownHostsFiles: [path.join(home, ".ssh/known_hosts"), "/etc/more"],
      hostKeys: "accept-new",
      connectTimeoutMs: 7000,
      keepaliveMs: 15_000,
      hostKeyAlias: "web",
      identityAgent: "none",
    });
  });

  test("says whether names in known_hosts are hashed", () => {
    expect(readSettings("hashknownhosts yes\n", "b1").hashKnownHosts).toBe(true);
    expect(readSettings("hashknownhosts no\n", "b1").hashKnownHosts).toBe(false);
  });

  test.each([
    ["ask", undefined],
    ["true", "strict"],
    ["false", "off"],
    ["off", "off"],
  ])("StrictHostKeyChecking %s is %s", (said, policy) => {
    expect(readSettings(`stricthostkeychecking ${said}\n`, "b1").hostKeys).toBe(policy);
  });
});

describe("openSshLookup", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "mop-ssh-config-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("a configuration that does not exist is named", () => {
    expect(() => openSshLookup({ file: "/nowhere/config" })).toThrow(
      /\/nowhere\/config.*--ssh-config|--ssh-config.*\/nowhere\/config/,
    );
  });

  test("without an ssh there is nothing to read, unless a file was named", async () => {
    const program = path.join(folder, "no-ssh");
    expect(await openSshLookup({ program })("b1")).toEqual({});
    const file = path.join(folder, "empty");
    writeFileSync(file, "");
    await expect(openSshLookup({ program, file })("b1")).rejects.toThrow(/no ssh is installed/);
  });

  test.skipIf(!hasSsh)("Include, Match host and HostName with tokens apply as ssh applies them", async () => {
    const included = path.join(folder, "more");
    writeFileSync(included, "Host web*\n  HostName %h.example.net\n  User deploy\n");
    const file = path.join(folder, "config");
    writeFileSync(
      file,
      `Include ${included}\nMatch host *.example.net\n  Port 2200\nHost b1\n  ProxyCommand nc %h %p\n`,
    );
    const lookup = openSshLookup({ file });
    expect(await lookup("web1")).toMatchObject({ hostName: "web1.example.net", user: "deploy", port: 2200 });
    expect(await lookup("b1")).toMatchObject({ proxyCommand: expect.stringContaining("nc ") });
  });

  test.skipIf(!hasSsh)("a mistake in the configuration is told in ssh's own words", async () => {
    const file = path.join(folder, "broken");
    writeFileSync(file, "Frobnicate yes\n");
    await expect(openSshLookup({ file })("b1")).rejects.toThrow(
      /b1.*(Frobnicate|frobnicate|bad configuration)/i,
    );
  });
});
