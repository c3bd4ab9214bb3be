import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEndpoint } from "../../../transport/endpoint.js";
import type { MopError } from "../../../transport/errors.js";
import type { Endpoint } from "../../../transport/types.js";
import { MAX_CALLS, MAX_CHANNELS } from "../../../transport/wire/constants.js";
import { memoryPipe } from "../../support/memory-pipe.js";
import { parentHello, servingNode } from "../../support/nodes.js";

describe("a node", () => {
  let controller: Endpoint;
  beforeEach(async () => {
    controller = createEndpoint({ root: true });
    const [upper, lower] = memoryPipe();
    servingNode(lower);
    await controller.attachChild(1, upper, parentHello(1));
  });
  afterEach(() => controller.close());

  it(`serves ${MAX_CALLS} calls at a time, and refuses one more with TOO_MANY until one is over`, async () => {
    const stop = new AbortController();
    const outcomes: string[] = [];
    for (let i = 0; i < MAX_CALLS; i++)
      controller
        .call(1, "wait", null, i === 0 ? { signal: stop.signal } : {})
        .catch((error: MopError) => outcomes.push(error.code));
    await expect(controller.call(1, "echo", "late")).rejects.toMatchObject({ code: "TOO_MANY" });
    expect(outcomes).toEqual([]);
    stop.abort();
    await expect.poll(() => controller.call(1, "echo", "late").catch(String)).toBe("late");
    expect(outcomes).toEqual(["CANCELLED"]);
  });

  it(`accepts ${MAX_CHANNELS} channels at a time, and refuses one more with TOO_MANY until one is over`, async () => {
    const channels = Array.from({ length: MAX_CHANNELS }, () => controller.open(1, "unread", null));
    expect(await controller.open(1, "unread", null).closed).toMatchObject({ code: "TOO_MANY" });
    channels[0]!.reset("CANCELLED");
    // An OPEN may overtake the RESET of another channel.
    const next = async () => (await controller.open(1, "refuse", null).closed)?.code;
    await expect.poll(next).toBe("AUTH_REFUSED");
  });
});
