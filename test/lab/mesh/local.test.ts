import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildCore } from "../../support/core-bundle.js";
import { local, openMesh } from "../wing/mesh.js";

let core: Uint8Array;
beforeAll(async () => {
  core = await buildCore();
});

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
function mesh() {
  const opened = openMesh(core);
  closing.push(opened.close);
  return opened;
}
const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("a node on this machine", () => {
  test("says hello, answers, and is gone after close", async () => {
    const { reach, ping, links, close } = mesh();
    const node = reach([local]);
    const info = await node.up;
    expect(info).toMatchObject({ runtime: process.version, platform: process.platform });
    expect(info.pid).not.toBe(process.pid);
    expect(await node.call("stats", null)).toMatchObject({ links: [] });
    expect(await ping(node)).toEqual([{ from: "controller", to: "here", ms: expect.any(Number) }]);
    const [link] = await links();
    expect(link).toMatchObject({ from: "controller", to: "here" });
    expect(link!.sent).toBeGreaterThan(0);
    await close();
    expect(await node.gone).toBeUndefined();
    expect(alive(info.pid)).toBe(false);
  });

  test("answers calls that were sent before it was up", async () => {
    const { reach } = mesh();
    const node = reach([local]);
    expect(await node.call("stats", null)).toMatchObject({ rss: expect.any(Number) });
  });

  test("that is killed is gone with its name in the reason", async () => {
    const { reach } = mesh();
    const node = reach([local]);
    const { pid } = await node.up;
    process.kill(pid, "SIGKILL");
    expect(await node.gone).toMatchObject({ at: "here", code: "LINK_LOST" });
  });

  test("is reached once for the same route, and anew after it was lost", async () => {
    const { reach } = mesh();
    const node = reach([local]);
    expect(reach([local])).toBe(node);
    process.kill((await node.up).pid, "SIGKILL");
    await node.gone;
    expect((await reach([local]).up).pid).not.toBe((await node.up).pid);
  });

  test("fails with NO_NODE where its Node is missing", async () => {
    const { reach } = mesh();
    await expect(reach([{ ...local, node: "/nowhere/node" }]).up).rejects.toMatchObject({
      code: "NO_NODE",
      at: "here",
    });
  });
});
