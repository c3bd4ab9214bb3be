import { expect, test } from "vitest";
import {
  type FactsEvent,
  type FactsOptions,
  gatherHostFacts,
} from "../../../engine/controller/run/gather-facts.js";
import { exitStatus } from "../../../engine/controller/run/options.js";
import type { RunEvent } from "../../../engine/vocabulary/events.js";
import { MopError } from "../../../transport/errors.js";
import { MemoryMesh, type MemoryMeshOptions } from "../../support/memory-mesh.js";
import { INVENTORY, type LeafScript, scripted, testPackage } from "./scripted.js";
import { tempFolder } from "./temp-folder.js";

async function gather(
  leaf: LeafScript,
  options: Partial<FactsOptions> = {},
  more: Partial<MemoryMeshOptions> = {},
) {
  const events: (RunEvent | FactsEvent)[] = [];
  const mesh = new MemoryMesh({ wing: scripted(leaf), ...more });
  const all = {
    cwd: await tempFolder({ "inventory.toml": INVENTORY }),
    mop: await testPackage(),
    ...options,
  };
  return { result: await gatherHostFacts(all, mesh, (event) => void events.push(event)), events };
}
const of =
  (host: string, error: string | null = null): LeafScript =>
  () => ({ kind: "facts", facts: { hostname: host }, error });

test("every host's facts are reported, within the limits", async () => {
  const orders: unknown[] = [];
  const { result, events } = await gather(
    (leaf) => {
      orders.push(leaf.order);
      return of(leaf.host)(leaf);
    },
    { limitHosts: ["l1", "l2"], names: ["hostname"] },
  );
  expect(orders).toEqual(Array(2).fill({ kind: "facts", parts: {}, names: ["hostname"] }));
  expect(events.filter((event) => event.event === "facts")).toEqual(
    ["l1", "l2"].map((host) => ({ event: "facts", host, facts: { hostname: host } })),
  );
  expect(result.hosts.l1).toMatchObject({ ok: 1, failed: 0 });
  expect(exitStatus(result)).toBe(0);
});

test("a host of which something could not be gathered has failed, and gives the rest", async () => {
  const { result, events } = await gather((leaf) =>
    of(leaf.host, leaf.host === "l2" ? "no rack" : null)(leaf),
  );
  expect(events.filter((event) => event.event === "facts")).toHaveLength(3);
  expect(events).toContainEqual({
    event: "role",
    host: "l2",
    role: "facts",
    status: "failed",
    error: "no rack",
  });
  expect(result.failed).toEqual(["l2"]);
  expect(exitStatus(result)).toBe(2);
});

test("what the inventory names as secret is masked in facts, however deep, and in what went wrong", async () => {
  const cwd = await tempFolder({
    "inventory.toml": `[hosts.l1.vars]\nmop_secrets = ["token"]\ntoken = "f4ct-secret"\n`,
  });
  const { events } = await gather(
    () => ({
      kind: "facts",
      facts: { custom: { app: { list: ["a f4ct-secret", 1] } } },
      error: "no f4ct-secret",
    }),
    { cwd },
  );
  expect(events).toContainEqual({
    event: "facts",
    host: "l1",
    facts: { custom: { app: { list: ["a ********", 1] } } },
  });
  expect(events).toContainEqual(expect.objectContaining({ event: "role", error: "no ********" }));
});

test("a host that answers with something else, or not at all, is told", async () => {
  const down = { l3: { at: "b2", error: new MopError("CONNECT_TIMEOUT", "no answer") } };
  const { result, events } = await gather(
    ({ host }) =>
      host === "l1"
        ? { kind: "command", rc: 0, signal: null }
        : { kind: "error", message: "odd", stack: null },
    {},
    { unreachable: down },
  );
  const errors = events.flatMap((event) => (event.event === "role" ? [event.error] : []));
  expect(errors.sort()).toEqual(["odd", "the host answered with a command result"]);
  expect(result.unreachable).toEqual(["l3"]);
});

test("a fact that there is none is a fault, before anything is contacted", async () => {
  await expect(gather(of("x"), { names: ["mouts"] })).rejects.toThrow(
    /^there is no fact "mouts"; facts are hostname, /,
  );
});
