import { describe, expect, it } from "vitest";
import { resolveInventory } from "../../../engine/controller/inventory/inventory.js";
import { PRESETS } from "../../../engine/controller/route/presets.js";
import { routePlanner } from "../../../engine/controller/route/routes.js";
import type { Hop } from "../../../relay/mesh/types.js";
import { rejection } from "./temp-folder.js";

type Vars = Readonly<Record<string, unknown>>;

/** The way to the host `web` with these variables. */
const route = (vars: Vars, hosts: Readonly<Record<string, { vars: Vars }>> = {}): Promise<readonly Hop[]> =>
  routePlanner(resolveInventory({ hosts: { web: { vars }, ...hosts } } as never, "inv"), {
    env: { USER: "me" },
    sshConfig: async (name) => (name === "web" ? { proxyJump: "elsewhere" } : {}),
  }).route("web");
const entered = async (vars: Vars) => {
  const [hop, ...more] = await route(vars);
  expect(more).toEqual([]);
  expect(hop?.kind).toBe("command");
  return hop?.enter?.join(" ");
};

describe("a host that is entered by a command", () => {
  it.each([
    ["docker", { mop_host: "shop_web-1" }, "docker exec -i shop_web-1"],
    ["docker", { mop_host: "shop", mop_user: "app" }, "docker exec -i --user app shop"],
    ["docker", {}, "docker exec -i web"],
    ["podman", { mop_host: "shop", mop_user: 1000 }, "podman exec -i --user 1000 shop"],
    ["kubectl", { mop_host: "prod/web-0", mop_user: "me" }, "kubectl exec -i -n prod web-0 --"],
    ["kubectl", { mop_host: "prod/web-0/app" }, "kubectl exec -i -n prod web-0 -c app --"],
    ["lxc", { mop_host: "far:web" }, "lxc exec -T far:web --"],
    ["machinectl", { mop_host: "web.1" }, "systemd-run --machine=web.1 --pipe --wait --collect --quiet --"],
    [
      "machinectl",
      { mop_host: "web.1", mop_user: "app" },
      "systemd-run --machine=web.1 --pipe --wait --collect --quiet --uid=app --",
    ],
    ["nsenter", { mop_host: 4711 }, "nsenter -t 4711 -m -u -i -n -p --"],
    ["chroot", { mop_host: "/srv/tree" }, "chroot /srv/tree"],
    ["chroot", { mop_host: "/srv/tree", mop_user: "app" }, "chroot --userspec=app /srv/tree"],
    ["command", { mop_command: "sudo -n enter {host} --" }, "sudo -n enter web --"],
    ["command", { mop_command: "enter --as={user} {host}", mop_user: "app" }, "enter --as=app web"],
  ])("by %s with %j runs %s", async (hop, vars, command) => {
    expect(await entered({ mop_hop: hop, ...vars })).toBe(command);
  });

  it("has a case above for every preset", () => {
    expect(Object.keys(PRESETS)).toEqual([
      "docker",
      "podman",
      "kubectl",
      "lxc",
      "machinectl",
      "nsenter",
      "chroot",
    ]);
  });

  it("is known to be mop_user only where the command makes it so", async () => {
    const userOf = async (vars: Vars) => (await route(vars))[0]?.target.user;
    expect(await userOf({ mop_hop: "docker", mop_user: "app" })).toBe("app");
    expect(await userOf({ mop_hop: "docker" })).toBe("");
    expect(await userOf({ mop_hop: "kubectl", mop_host: "a/b", mop_user: "app" })).toBe("");
    expect(await userOf({ mop_hop: "command", mop_command: "x", mop_user: "app" })).toBe("");
    expect(await userOf({ mop_hop: "command", mop_command: "x {user}", mop_user: "app" })).toBe("app");
  });

  it.each([
    ["a text at its blanks, but not in quotes", `a "b c" d'e f'g ""`, ["a", "b c", "de fg", ""]],
    ["a list as it is", ["a", "b c", "{host}"], ["a", "b c", "web"]],
  ])("takes %s", async (_how, mop_command, words) => {
    const [hop] = await route({ mop_hop: "command", mop_command });
    expect(hop?.enter).toEqual(words);
  });

  it("is run by the host before it, and hosts behind it are reached from it", async () => {
    const hops = await route(
      { mop_via: "box" },
      { box: { vars: { mop_hop: "docker", mop_via: "b1" } }, b1: { vars: { mop_hop: "sealed" } } },
    );
    expect(hops.map(({ kind, target }) => [target.name, kind])).toEqual([
      ["b1", "sealed"],
      ["box", "command"],
      ["web", "relay"],
    ]);
  });

  it("follows mop_via only: OpenSSH's configuration says nothing of it", async () => {
    expect(await route({ mop_hop: "docker" })).toHaveLength(1);
    expect((await route({})).map(({ target }) => target.name)).toEqual(["elsewhere", "web"]);
  });

  it.each<[string, Vars, RegExp]>([
    ["a container's name with a blank", { mop_hop: "docker", mop_host: "a b" }, /web: mop_host is "a b"/],
    ["a container's name that is an option", { mop_hop: "docker", mop_host: "--privileged" }, /mop_host is/],
    [
      "a container's name that is a path",
      { mop_hop: "docker", mop_host: "../x" },
      /it is a container's name or id/,
    ],
    ["a pod without namespace", { mop_hop: "kubectl", mop_host: "web-0" }, /namespace\/pod/],
    [
      "a process by name",
      { mop_hop: "nsenter" },
      /"web"; with mop_hop = "nsenter" it is the id of a process/,
    ],
    ["process 0", { mop_hop: "nsenter", mop_host: 0 }, /id of a process/],
    ["a tree with a relative path", { mop_hop: "chroot", mop_host: "srv" }, /absolute path/],
    ["no command", { mop_hop: "command" }, /needs mop_command/],
    ["an empty command", { mop_hop: "command", mop_command: [] }, /needs mop_command/],
    ["a command alone", { mop_command: "enter" }, /is for mop_hop = "command", which is missing/],
    ["a number in a command", { mop_hop: "command", mop_command: ["a", 7] }, /mop_command is no text/],
    ["a line break in a command", { mop_hop: "command", mop_command: ["a\nb"] }, /control characters/],
    ["a quote that doesn't end", { mop_hop: "command", mop_command: "a 'b" }, /quote that doesn't end: a 'b/],
    ["{command} within a word", { mop_hop: "command", mop_command: "sh -c x{command}" }, /word of its own/],
    ["{user} without one", { mop_hop: "command", mop_command: "enter {user}" }, /no mop_user/],
  ])("is refused with %s", async (_what, vars, message) => {
    const { message: said } = await rejection(route(vars));
    expect(said).toMatch(message);
    expect(said).toMatch(/^inv: host web: /);
  });

  it("can't stand right behind a jump, where nothing of ours runs", async () => {
    const hosts = { b1: { vars: { mop_hop: "jump" } }, b2: { vars: {} } };
    expect((await rejection(route({ mop_hop: "docker", mop_via: "b1" }, hosts))).message).toMatch(
      /^b1 has to run the command that leads into web, but it is passed as a jump.*mop_hop = "relay" or "sealed"/,
    );
    const hops = await route({ mop_hop: "docker", mop_via: "b1,b2" }, hosts);
    expect(hops.map(({ kind }) => kind)).toEqual(["jump", "relay", "command"]);
  });
});
