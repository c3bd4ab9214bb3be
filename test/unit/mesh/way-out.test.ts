import { describe, expect, test } from "vitest";
import { withoutSsh } from "../../../engine/controller/route/command-hop.js";
import { wayOut } from "../../../relay/mesh/grow.js";
import { Place } from "../../../relay/mesh/place.js";
import { unreachable } from "../../../relay/mesh/unreachable.js";
import { MopError } from "../../../transport/errors.js";
import type { NodeInfo } from "../../../transport/types.js";

const placeOf = (bring: boolean) =>
  new Place(
    "b1",
    { kind: "relay", node: "", target: withoutSsh("b1", "b1", "deploy"), ...(bring ? { bring } : {}) },
    undefined,
    7,
    "relay",
  );
const turns = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
};

describe("what lies behind a host", () => {
  test("is dialled as soon as orders may be sent there, before its node has answered", async () => {
    const place = placeOf(false);
    place.dispatched.resolve();
    expect(await wayOut(place)).toMatchObject({ type: "node", id: 7 });
  });

  test("that may have to be brought a Node is dialled when that runs, however long it takes", async () => {
    const place = placeOf(true);
    let dialled = false;
    const out = wayOut(place).finally(() => {
      dialled = true;
    });
    place.dispatched.resolve();
    await turns();
    expect(dialled).toBe(false);
    place.reached({} as NodeInfo, 1);
    expect(await out).toMatchObject({ type: "node", id: 7 });
  });

  test("that can't be brought one is lost with it", async () => {
    const place = placeOf(true);
    const out = wayOut(place);
    place.dispatched.resolve();
    place.fail(unreachable("b1", new MopError("NO_NODE", "none can be brought")));
    await expect(out).rejects.toMatchObject({ at: "b1", code: "NO_NODE" });
  });
});
