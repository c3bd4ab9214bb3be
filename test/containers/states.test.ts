import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, test } from "vitest";
import { judge } from "../states/judge.js";
import type { Played } from "../states/play.js";
import type { State } from "../states/state.js";
import { HOSTS, TABLES } from "../states/tables/containers.js";
import { bundle } from "../support/bundle.js";
import { findEngine } from "./support/engine.js";
import { TypesHost } from "./support/types-host.js";

const engine = await findEngine("types");

describe.skipIf("missing" in engine)(
  `what a check says of a prepared state of a system is what apply does ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let folder: string;
    const hosts: TypesHost[] = [];
    /** All hosts play at once, each its tables one after another. */
    const played = new Map<string, Promise<readonly Played[]>>();

    beforeAll(async () => {
      if ("missing" in engine) return;
      folder = await mkdtemp(path.join(os.tmpdir(), "mop-states-"));
      const program = await bundle(
        fileURLToPath(new URL("../states/in-container.ts", import.meta.url)),
        folder,
      );
      for (const [systemd, tables] of HOSTS) {
        const host = TypesHost.start(engine.image, { systemd });
        let last: Promise<unknown> = host.then(async (started) => {
          hosts.push(started);
          await started.container.copyFilesToContainer([{ source: program, target: "/root/states.cjs" }]);
        });
        for (const name of tables) {
          const one = last
            .then(async () => (await host).sh(`node /root/states.cjs ${name}`))
            .then((text) => JSON.parse(text) as Played[]);
          // Told by the tests that wait for it; the next table does not mind.
          last = one.catch(() => undefined);
          played.set(name, one);
        }
      }
    });
    afterAll(async () => {
      await Promise.allSettled(played.values());
      await Promise.all(hosts.map((host) => host.stop()));
      if (folder !== undefined) await rm(folder, { recursive: true });
    });

    describe.each(HOSTS.flatMap(([, tables]) => tables))("%s", (name) => {
      const states = TABLES[name]!.states.map((state, index): [string, State, number] => [
        `${state.type}: ${state.claim}`,
        state,
        index,
      ]);
      test.each(states)("%s", async (_, state, index) => {
        judge(state, (await played.get(name)!)[index]!);
      });
    });
  },
);
