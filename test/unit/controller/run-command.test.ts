import { describe, expect, it } from "vitest";
import { describeInventory } from "../../../engine/controller/run/describe-inventory.js";
import { exitStatus } from "../../../engine/controller/run/options.js";
import { type PingEvent, pingHosts } from "../../../engine/controller/run/ping-hosts.js";
import { prepareTargets } from "../../../engine/controller/run/prepare-hosts.js";
import { type CommandOptions, runCommand } from "../../../engine/controller/run/run-command.js";
import type { RunEvent } from "../../../engine/vocabulary/events.js";
import { MASK } from "../../../engine/vocabulary/masker.js";
import { MopError } from "../../../transport/errors.js";
import { MemoryMesh, type MemoryMeshOptions } from "../../support/memory-mesh.js";
import { INVENTORY, type LeafScript, scripted, testPackage } from "./scripted.js";
import { tempFolder } from "./temp-folder.js";

const DOWN = { l3: { at: "b2", error: new MopError("CONNECT_TIMEOUT", "no answer") } };

async function setup(leaf: LeafScript, mesh: Partial<MemoryMeshOptions> = {}) {
  const events: (RunEvent | PingEvent)[] = [];
  return {
    cwd: await tempFolder({ "inventory.toml": INVENTORY }),
    events,
    mesh: new MemoryMesh({ wing: scripted(leaf), ...mesh }),
    report: (event: RunEvent | PingEvent) => void events.push(event),
  };
}

async function command(leaf: LeafScript, options: Partial<CommandOptions> = {}, more = {}) {
  const { cwd, events, mesh, report } = await setup(leaf, more);
  const all = { cwd, command: "uptime", mop: await testPackage(), ...options };
  return { result: await runCommand(all, mesh, report), events };
}

const exits =
  (rc: number): LeafScript =>
  () => ({ kind: "command", rc, signal: null });

describe("a command", () => {
  it("runs on every host with its words, and reports output as it comes", async () => {
    const orders: unknown[] = [];
    const { result, events } = await command(
      async ({ host, order, emit }) => {
        orders.push(order);
        await emit({ event: "output", stream: "stdout", text: `${host} is up\n` });
        return { kind: "command", rc: 0, signal: null };
      },
      { timeoutMs: 1500 },
    );
    expect(orders).toEqual(Array(3).fill({ kind: "command", command: "uptime", timeoutMs: 1500 }));
    for (const host of ["l1", "l2", "l3"]) {
      expect(events).toContainEqual({ event: "output", host, stream: "stdout", text: `${host} is up\n` });
      expect(events).toContainEqual({ event: "role", host, role: "run", status: "ok" });
    }
    expect(result.hosts.l1).toEqual({ ok: 1, changed: 0, failed: 0, skipped: 0, unreachable: false });
    expect(exitStatus(result)).toBe(0);
  });

  it("that ends with another status than 0 has failed on that host alone", async () => {
    const { result, events } = await command((leaf) => exits(leaf.host === "l2" ? 3 : 0)(leaf));
    expect(result.failed).toEqual(["l2"]);
    expect(result.hosts.l2).toMatchObject({ ok: 0, failed: 1 });
    expect(events).toContainEqual({
      event: "role",
      host: "l2",
      role: "run",
      status: "failed",
      error: "the command ended with status 3",
    });
    expect(exitStatus(result)).toBe(2);
  });

  it("that a signal ended has failed, and so has one that the host could not start", async () => {
    const { events } = await command(({ host }) =>
      host === "l1"
        ? { kind: "command", rc: -1, signal: "SIGKILL" }
        : { kind: "error", message: "no shell", stack: "Error: no shell\n at x" },
    );
    const errors = events.flatMap((event) => (event.event === "role" ? [event.error] : []));
    expect(errors.sort()).toEqual(["no shell", "no shell", "the command was ended by SIGKILL"]);
  });

  it("counts hosts that can't be reached, and says at which hop", async () => {
    const { result, events } = await command(exits(0), {}, { unreachable: DOWN });
    expect(result.unreachable).toEqual(["l3"]);
    expect(events).toContainEqual(
      expect.objectContaining({ event: "host", host: "l3", state: "unreachable", at: "b2" }),
    );
    expect(exitStatus(result)).toBe(4);
  });

  it("is interrupted by its signal", async () => {
    const stop = new AbortController();
    const { result } = await command(
      ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          stop.abort();
        }),
      { signal: stop.signal, limitHosts: ["l1"] },
    );
    expect(exitStatus(result)).toBe(130);
  });

  it("without words, and limits that leave no host, are faults", async () => {
    await expect(command(exits(0), { command: " " })).rejects.toThrow(/^there is no command/);
    await expect(command(exits(0), { limitGroups: ["!web"] })).rejects.toThrow(/is left to contact$/);
  });
});

describe("a ping", () => {
  it("tells route and round trip of each hop, and which hosts can't be reached", async () => {
    const { cwd, events, mesh, report } = await setup(exits(0), { unreachable: DOWN });
    const result = await pingHosts({ cwd }, mesh, report);
    const ping: PingEvent = {
      event: "ping",
      host: "l1",
      route: ["b1", "b2", "l1"],
      hops: [
        { from: "controller", to: "b1", ms: 1 },
        { from: "b1", to: "b2", ms: 1 },
        { from: "b2", to: "l1", ms: 1 },
      ],
    };
    expect(events).toContainEqual(ping);
    expect(result.pings.map(({ host }) => host).sort()).toEqual(["l1", "l2"]);
    expect(events).toContainEqual({
      event: "host",
      host: "l3",
      state: "unreachable",
      at: "b2",
      code: "CONNECT_TIMEOUT",
      reason: "no answer",
    });
    expect(exitStatus(result)).toBe(4);
  });

  it("ends when it is interrupted, though hosts don't answer", async () => {
    const { cwd, mesh, report } = await setup(exits(0));
    const stop = new AbortController();
    mesh.ping = () => {
      stop.abort();
      return new Promise(() => {});
    };
    expect(exitStatus(await pingHosts({ cwd, signal: stop.signal }, mesh, report))).toBe(130);
  });
});

describe("an inventory as it resolves", () => {
  const SECRETS = `
[groups.web.hosts]
l1 = { mop_host = "192.0.2.9", mop_user = "deploy", mop_password = "hunter2", db = { password = "x", port = 1 } }
[groups.web.vars]
api_token = "abc"
mop_via = "b1"
keys = ["a"]
`;

  it("shows hosts, groups, variables and routes, and no secret", async () => {
    const cwd = await tempFolder({ "inventory.toml": SECRETS });
    const { hosts, groups } = await describeInventory({ cwd, routes: { user: "ops" } });
    expect(groups).toEqual({ web: ["l1"], all: ["l1"] });
    expect(hosts).toHaveLength(1);
    expect(hosts[0]).toMatchObject({
      name: "l1",
      groups: ["web"],
      vars: {
        mop_password: MASK,
        api_token: MASK,
        db: { password: MASK, port: 1 },
        keys: ["a"],
        mop_via: "b1",
      },
      route: [
        { name: "b1", kind: "auto", user: "ops", address: "b1", port: 22 },
        { name: "l1", kind: "relay", user: "deploy", address: "192.0.2.9", port: 22 },
      ],
    });
    expect(JSON.stringify(hosts)).not.toMatch(/hunter2|abc/);
  });

  it("tells of a misspelt connection variable, once, as a command over hosts does", async () => {
    const toml = `[groups.web.hosts]\nl1 = "mop_via=b1"\nl2 = ""\n[hosts.b1.vars]\nmop_hosst = "192.0.2.9"\n[groups.web.vars]\nmop_usr = "x"`;
    const cwd = await tempFolder({ "inventory.toml": toml });
    const told = [
      expect.stringMatching(/host l1: mop_usr is no connection variable; is mop_user meant\?$/),
      expect.stringMatching(/host b1: mop_hosst is no connection variable; is mop_host meant\?$/),
    ];
    for (const ask of [describeInventory, prepareTargets]) {
      const warnings: string[] = [];
      await ask({ cwd, onWarning: (text) => warnings.push(text) });
      expect(warnings).toEqual(told);
    }
  });

  it("is that of ./policy.ts where no inventory.toml lies beside it", async () => {
    const policy = `import { definePolicy } from "mop";
      export default definePolicy({ inventory: { hosts: { h1: {} } }, roles: [] });`;
    const cwd = await tempFolder({ "policy.ts": policy });
    const { hosts } = await describeInventory({ cwd, mop: await testPackage() });
    expect(hosts.map(({ name }) => name)).toEqual(["h1"]);
  });
});
