/** Time and memory of one run by the number of its leaves, which are processes of the embedded lab. */
import os from "node:os";
import { createLab } from "../support/lab.js";
import { type StartedMop, startMop, summaryOf } from "../support/mop.js";
import { watchResident } from "../support/resident.js";
import { labPolicy } from "./policies.js";
import type { Limit } from "./round-trips.js";
import { quickest, seconds, table } from "./table.js";

const COUNTS = [1, 10, 25, 50];
const RESOURCES = 20;
const LEAF_MOST = 80e6;

interface Measured {
  readonly ms: number;
  readonly controller: number;
  readonly bastion: number;
  readonly leaf: number;
}

async function measure(count: number, policy: string): Promise<Measured> {
  const lab = await createLab({ leaves: count });
  let started: StartedMop | undefined;
  const pids = (names: readonly string[]) => () => names.flatMap((name) => lab.host(name).pids);
  const watch = watchResident({
    controller: () => (started?.child.pid === undefined ? [] : [started.child.pid]),
    bastion: pids(lab.bastions),
    leaf: pids(lab.leaves),
  });
  try {
    started = startMop(["push", policy, ...lab.options, "-o", "json"]);
    const run = await started.done;
    if (run.status !== 0) throw new Error(`${count} leaves: status ${run.status}: ${run.stderr}`);
    for (const [name, { changed }] of Object.entries(summaryOf(run).hosts))
      if (changed !== RESOURCES)
        throw new Error(`${name} changed ${changed} resources instead of ${RESOURCES}`);
    const { controller = 0, bastion = 0, leaf = 0 } = watch.peaks;
    return { ms: run.ms, controller, bastion, leaf };
  } finally {
    watch.stop();
    await lab.close();
  }
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;

export async function leaves(runs: number): Promise<Limit[]> {
  const policy = labPolicy(RESOURCES);
  let largest = 0;
  const rows: string[][] = [];
  try {
    for (const count of COUNTS) {
      const all: Measured[] = [];
      for (let run = 0; run < runs; run++) all.push(await measure(count, policy.policy));
      const most = (value: (one: Measured) => number) => Math.max(...all.map(value));
      largest = Math.max(
        largest,
        most(({ leaf }) => leaf),
      );
      rows.push([
        String(count),
        seconds(quickest(all.map(({ ms }) => ms))),
        megabytes(most(({ controller }) => controller)),
        megabytes(most(({ bastion }) => bastion)),
        megabytes(most(({ leaf }) => leaf)),
      ]);
    }
  } finally {
    policy.remove();
  }
  const cores = os.availableParallelism();
  console.log(
    `\n${RESOURCES} resources on leaves of the embedded lab, one run, ${cores} cores for everything`,
  );
  console.log(
    `(time: the quickest of ${runs} runs; memory: the largest resident size that any process of its kind had):\n`,
  );
  console.log(table(["leaves", "wall time", "controller", "bastion", "leaf"], rows));
  return [{ text: "resident memory of a leaf: under 80 MB", value: largest / 1e6, most: LEAF_MOST / 1e6 }];
}
