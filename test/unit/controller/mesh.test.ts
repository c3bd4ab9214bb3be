import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { PolicyError } from "../../../engine/controller/policy-error.js";
import { Mesh, type MeshOptions } from "../../../engine/mesh.js";
import { RemoteError } from "../../../engine/remote-error.js";
import type { LeafResult } from "../../../engine/vocabulary/order.js";
import { UnreachableError } from "../../../relay/mesh/unreachable.js";
import { MopError } from "../../../transport/errors.js";
import type { Value } from "../../../transport/types.js";
import { MemoryMesh, type MemoryMeshOptions } from "../../support/memory-mesh.js";
import { greet, later, table, translate } from "./remote.js";
import { INVENTORY, type Leaf, type LeafScript, scripted, testPackage } from "./scripted.js";
import { rejection, tempFolder } from "./temp-folder.js";

async function open(
  leaf: LeafScript,
  more: Partial<MemoryMeshOptions> = {},
  options: Partial<MeshOptions> = {},
) {
  const cwd = await tempFolder({ "inventory.toml": INVENTORY });
  const memory = new MemoryMesh({ wing: scripted(leaf), ...more });
  const mesh = await Mesh.open(
    { inventory: "inventory.toml", sshConfig: "none", cwd, ...options },
    { relay: memory, mop: await testPackage() },
  );
  return { mesh, memory };
}

const silent: LeafScript = () => ({ kind: "command", rc: 0, signal: null });

/** Does what a leaf does with a call: loads the module that came, and calls its export. */
async function callee({ order, blob }: Leaf): Promise<LeafResult> {
  if (order.kind !== "call") throw new Error("no call");
  const code = Buffer.from(await blob(order.module)).toString();
  expect(code).not.toContain("STAYS-HERE");
  const module = { exports: {} as Record<string, (...args: readonly Value[]) => Value> };
  new Function("module", "exports", "require", code)(module, module.exports, createRequire(import.meta.url));
  return { kind: "call", value: (await module.exports[order.export]?.(...order.args)) ?? null };
}

describe("Mesh", () => {
  it("connects through the inventory's route, or through `via`", async () => {
    const { mesh } = await open(silent);
    expect((await mesh.connect("l1")).route).toEqual(["b1", "b2", "l1"]);
    expect((await mesh.connect("l1", { via: ["b1"] })).route).toEqual(["b1", "l1"]);
    expect((await mesh.connect("ops@192.0.2.50:2222")).name).toBe("192.0.2.50");
  });

  it("rejects a host that can't be reached with the hop where it ended", async () => {
    const error = new MopError("AUTH_REFUSED", "no key fits");
    const { mesh } = await open(silent, { unreachable: { l2: { at: "b2", error } } });
    const thrown = await rejection(mesh.connect("l2"));
    expect(thrown).toBeInstanceOf(UnreachableError);
    expect(thrown).toMatchObject({ at: "b2", code: "AUTH_REFUSED" });
  });

  it("takes any inventory that a policy may give, and says where a wrong one is wrong", async () => {
    const inventory = async () => ({ hosts: { h1: { vars: { mop_via: "b9" } } } });
    const { mesh } = await open(silent, {}, { inventory });
    expect((await mesh.connect("h1")).route).toEqual(["b9", "h1"]);
    await expect(open(silent, {}, { inventory: "gone.toml" })).rejects.toThrow(PolicyError);
  });

  it("closes its tree once, by `close` and by `await using`", async () => {
    let closed = 0;
    const memory = new MemoryMesh({ wing: scripted(silent) });
    memory.close = async () => void closed++;
    {
      await using mesh = await Mesh.open({ sshConfig: "none" }, { relay: memory });
      await mesh.close();
    }
    expect(closed).toBe(1);
  });
});

describe("a command of a program", () => {
  const talk: LeafScript = async ({ emit }) => {
    await emit({ event: "output", stream: "stdout", text: "one " });
    await emit({ event: "output", stream: "stderr", text: "oops" });
    await emit({ event: "output", stream: "stdout", text: "two" });
    return { kind: "command", rc: 7, signal: null };
  };

  it("gives status and output, whatever the status", async () => {
    const host = await (await open(talk)).mesh.connect("l1");
    expect(await host.run("x")).toEqual({ rc: 7, signal: null, stdout: "one two", stderr: "oops" });
  });

  it("takes seconds as its time limit", async () => {
    const orders: unknown[] = [];
    const { mesh } = await open((leaf) => {
      orders.push(leaf.order);
      return silent(leaf);
    });
    await (await mesh.connect("l1")).run("sleep 9", { timeout: 2.5 });
    expect(orders).toEqual([{ kind: "command", command: "sleep 9", timeoutMs: 2500 }]);
  });

  it("streams its output piece by piece, and returns its end", async () => {
    const host = await (await open(talk)).mesh.connect("l1");
    const stream = host.stream("x");
    const texts: string[] = [];
    let step = await stream.next();
    for (; !step.done; step = await stream.next()) texts.push(step.value.text);
    expect(texts).toEqual(["one ", "oops", "two"]);
    expect(step.value).toMatchObject({ rc: 7 });
  });

  it("is ended when nobody wants its stream any more", async () => {
    let cancelled = () => {};
    const done = new Promise<void>((resolve) => {
      cancelled = resolve;
    });
    const { mesh } = await open(async ({ emit, signal }) => {
      signal.addEventListener("abort", cancelled);
      await emit({ event: "output", stream: "stdout", text: "first" });
      return new Promise(() => {});
    });
    const host = await mesh.connect("l1");
    for await (const { text } of host.stream("tail -f log")) {
      expect(text).toBe("first");
      break;
    }
    await done;
  });

  it("sends the wing to a host once, however many commands follow", async () => {
    const pushes: number[] = [];
    const { mesh, memory } = await open(silent);
    const push = memory.push.bind(memory);
    memory.push = (hashes, to) => {
      pushes.push(hashes.length);
      push(hashes, to);
    };
    const host = await mesh.connect("l1");
    await host.run("a");
    await host.run("b");
    expect(pushes).toEqual([1, 0]);
  });
});

describe("a function of a module", () => {
  it("runs over there with its arguments, the imports and declarations that it mentions", async () => {
    const host = await (await open(callee)).mesh.connect("l1");
    expect(await host.call(greet, "you", 2)).toEqual({
      text: "hello youhello you",
      platform: process.platform,
    });
    expect(await host.call(later, 3)).toBe(3);
  });

  it("leaves its program's statements behind, but for those that complete what travels", async () => {
    const host = await (await open(callee)).mesh.connect("l1");
    expect(await host.call(translate, "yes")).toBe("oui");
  });

  it("may be named by its module's place", async () => {
    const host = await (await open(callee)).mesh.connect("l1");
    const module = new URL("./remote.ts", import.meta.url);
    expect(await host.call({ module, name: "later" }, null)).toBeNull();
  });

  it("that is a closure, a method, native or not exported is refused before anything travels", async () => {
    const steps: string[] = [];
    const host = await (await open(callee, { onStep: (step) => steps.push(step) })).mesh.connect("l1");
    steps.length = 0;
    const refused = [() => 1, table.hidden, Math.max, greet.bind(null, "x")] as (() => never)[];
    for (const fn of refused) {
      const error = await rejection(host.call(fn));
      expect(error).toBeInstanceOf(MopError);
      expect(error).toMatchObject({ code: "BAD_ARGUMENT" });
      expect(error.message).toMatch(/can't be called on a host: /);
    }
    expect(steps).toEqual([]);
  });

  it("refuses arguments that are no plain data", async () => {
    const host = await (await open(callee)).mesh.connect("l1");
    const error = await rejection(host.call(later, (() => 1) as never));
    expect(error.message).toMatch(/^argument 1 of later is a function; /);
    expect(error).toMatchObject({ code: "BAD_ARGUMENT" });
  });

  it("that throws there throws a RemoteError here, with the host's name and its stack", async () => {
    const { mesh } = await open(() => ({ kind: "error", message: "boom", stack: "Error: boom\n at greet" }));
    const error = await rejection((await mesh.connect("l1")).call(greet, "x"));
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({ host: "l1", message: "l1: boom", remoteStack: "Error: boom\n at greet" });
  });
});
