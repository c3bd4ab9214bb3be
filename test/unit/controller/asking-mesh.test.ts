import { describe, expect, test } from "vitest";
import { askingMesh } from "../../../engine/controller/route/asking-mesh.js";
import { withoutSsh } from "../../../engine/controller/route/command-hop.js";
import type { DialingMesh, Hop, NodeHandle } from "../../../relay/mesh/types.js";
import { UnreachableError } from "../../../relay/mesh/unreachable.js";
import { MopError } from "../../../transport/errors.js";
import type { NodeInfo } from "../../../transport/types.js";

const hop = (name: string, more: Partial<Hop> = {}): Hop => ({
  kind: "relay",
  node: "",
  target: withoutSsh(name, name, "deploy"),
  ...more,
});

/** A mesh of which these hosts have no Node; what is reached in it and sent to it. */
function meshOf(without: readonly string[], code: "NO_NODE" | "CONNECT_REFUSED" = "NO_NODE") {
  const log: string[] = [];
  const up = new Set<string>();
  const mesh = {
    reach(route: readonly Hop[], again: boolean): NodeHandle {
      const names = route.map(({ target, bring }) => `${target.name}${bring ? "+" : ""}`);
      log.push(`${again ? "again " : ""}${names.join(" > ")}`);
      const lacking = route.find(({ target, bring }) => without.includes(target.name) && !bring);
      const failed = lacking && new UnreachableError(lacking.target.name, new MopError(code, "none there"));
      const name = route.at(-1)!.target.name;
      const end = <T>(value: T): Promise<T> => {
        const promise = failed ? Promise.reject(failed) : Promise.resolve(value);
        promise.catch(() => undefined);
        return promise;
      };
      if (!failed) up.add(name);
      return {
        id: 1,
        name,
        route: route.map(({ target }) => target.name),
        dispatched: Promise.resolve(),
        up: end({} as NodeInfo),
        connectMs: 1,
        gone: Promise.resolve(undefined),
        call: () => end("answer"),
        wing: () => end(Buffer.from(`ran on ${name}`)),
      };
    },
    offer: (_blobs: unknown, to: readonly NodeHandle[]) => log.push(`offer to ${to.map(({ name }) => name)}`),
    push: (_hashes: unknown, to: readonly NodeHandle[]) => log.push(`push to ${to.map(({ name }) => name)}`),
    ping: async () => [],
    links: async () => [],
    close: async () => undefined,
  } as unknown as DialingMesh;
  return { mesh, log, up };
}

const NOTHING = { entry: "", order: Buffer.alloc(0), onEvent: () => undefined };
const wingOf = (node: NodeHandle) => node.wing(NOTHING).then(String);

describe("askingMesh()", () => {
  test("asks once for all hosts that have no Node, and runs what was sent to them when one was brought", async () => {
    const { mesh, log } = meshOf(["l1", "l2"]);
    const asked: (readonly string[])[] = [];
    const asking = askingMesh(
      mesh,
      async (hosts) => {
        asked.push(hosts);
        return true;
      },
      20,
    );
    const nodes = ["l1", "l2", "l3"].map((name) => asking.reach([hop("b1"), hop(name)]));
    asking.offer([], nodes);
    asking.push(["ab"], nodes);
    expect(await Promise.all(nodes.map(wingOf))).toEqual(["ran on l1", "ran on l2", "ran on l3"]);
    await Promise.all(nodes.map((node) => node.up));
    expect(asked).toEqual([["l1", "l2"]]);
    expect(log.slice(5).sort()).toEqual(["again b1 > l1+", "again b1 > l2+", "push to l1", "push to l2"]);
  });

  test("asks for a bastion that all its leaves fail at", async () => {
    const { mesh } = meshOf(["b1"]);
    const asked: (readonly string[])[] = [];
    const asking = askingMesh(mesh, async (hosts) => asked.push(hosts) > 0, 20);
    const nodes = ["l1", "l2"].map((name) => asking.reach([hop("b1"), hop(name)]));
    await Promise.all(nodes.map((node) => node.up));
    expect(asked).toEqual([["b1"]]);
  });

  test.each([
    ["waits for hosts that are still under way", true, [["l1", "l2"]]],
    ["does not wait for ever for one that never arrives", false, [["l1"]]],
  ])("the question %s", async (_claim, arrives, questions) => {
    const { mesh } = meshOf(["l1", "l2"]);
    let arrive: () => void = () => undefined;
    const way = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const late = {
      ...mesh,
      reach(route: readonly Hop[], again?: boolean) {
        const node = mesh.reach(route, again);
        if (node.name !== "l2" || again) return node;
        return { ...node, up: way.then(() => node.up), wing: () => way.then(() => node.wing(NOTHING)) };
      },
    };
    const asked: (readonly string[])[] = [];
    const asking = askingMesh(late, async (hosts) => asked.push(hosts) > 0, arrives ? 600_000 : 1);
    const [first, second] = ["l1", "l2"].map((name) => asking.reach([hop("b1"), hop(name)]));
    if (!arrives) await first!.up;
    else {
      for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
      expect(asked).toEqual([]);
      arrive();
      await Promise.all([first!.up, second!.up]);
    }
    expect(asked).toEqual(questions);
  });

  test("brings a bastion one, and then the leaf behind it", async () => {
    const { mesh, log } = meshOf(["b1", "l1"]);
    const asking = askingMesh(mesh, async () => true, 1);
    await asking.reach([hop("b1"), hop("l1")]).up;
    expect(log).toEqual(["b1 > l1", "again b1+ > l1", "again b1+ > l1+"]);
  });

  test("leaves the failure as it was where the answer is no", async () => {
    const { mesh, log } = meshOf(["l1"]);
    const node = askingMesh(mesh, async () => false, 1).reach([hop("l1")]);
    await expect(node.up).rejects.toMatchObject({ code: "NO_NODE", at: "l1" });
    await expect(wingOf(node)).rejects.toMatchObject({ code: "NO_NODE" });
    expect(log).toEqual(["l1"]);
  });

  test.each([true, false])("brings nothing to a host before the answer, nor after a no (%s)", async (yes) => {
    const { mesh, log } = meshOf(["l1"]);
    let answer: (yes: boolean) => void = () => undefined;
    const question = new Promise<boolean>((resolve) => {
      answer = resolve;
    });
    const asking = askingMesh(mesh, () => question, 1);
    const first = asking.reach([hop("l1")]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    // By another way, while the question stands
    asking.reach([hop("b1"), hop("l1")]).up.catch(() => undefined);
    answer(yes);
    await first.up.catch(() => undefined);
    asking.reach([hop("b2"), hop("l1")]);
    expect(log.filter((line) => line.startsWith("b1"))).toEqual(["b1 > l1"]);
    expect(log.filter((line) => line.startsWith("b2"))).toEqual([yes ? "b2 > l1+" : "b2 > l1"]);
  });

  test.each([
    ["whose Node is named", hop("l1", { node: "/opt/node" })],
    ["that could not be brought one", hop("l2", { bring: true })],
  ])("does not ask for a host %s", async (_what, target) => {
    const { mesh } = meshOf(["l1"]);
    const failing = { ...mesh, reach: () => mesh.reach([hop("l1")]) };
    const asking = askingMesh(failing, () => Promise.reject(new Error("asked")), 1);
    const node = asking.reach([{ ...target, target: hop("l1").target }]);
    await expect(node.up).rejects.toMatchObject({ code: "NO_NODE" });
  });

  test("does not ask for a host that failed of something else", async () => {
    const { mesh } = meshOf(["l1"], "CONNECT_REFUSED");
    const asking = askingMesh(mesh, () => Promise.reject(new Error("asked")), 1);
    await expect(asking.reach([hop("l1")]).up).rejects.toMatchObject({ code: "CONNECT_REFUSED" });
  });
});
