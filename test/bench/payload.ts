/** Whole runs as design.md's table has them: wall time and bytes on the first link at 180 and 600 ms. */
import type { PolicyFolder } from "../support/policies.js";
import type { Labs } from "./labs.js";
import { payloadPolicy, trivialPolicy } from "./policies.js";
import { clean, type PushCase, type Pushed, push } from "./push.js";
import { kilobytes, median, quickest, seconds, table } from "./table.js";

const PAYLOAD = 200_000;
const ROUND_TRIPS = [180, 600];

export async function payload({ two: lab }: Labs, runs: number): Promise<void> {
  const policies: PolicyFolder[] = [];
  const made = (folder: PolicyFolder) => {
    policies.push(folder);
    return folder.policy;
  };
  const one = ["l1"];
  const ten = lab.leaves.slice(0, 10);
  const big = made(payloadPolicy(PAYLOAD));
  const cases: { title: string; first: boolean; push: PushCase }[] = [
    {
      title: "100 trivial steps, 1 host",
      first: true,
      push: { policy: made(trivialPolicy(100)), hosts: one },
    },
    {
      title: "20 resources, 200 kB payload, 10 hosts, first run",
      first: true,
      push: { policy: big, hosts: ten, changed: 20 },
    },
    { title: "the same again", first: false, push: { policy: big, hosts: ten } },
  ];
  const rows: string[][] = [];
  try {
    // TCP's slow start is part of what a real link costs.
    lab.link.setSlowStart(true);
    for (const roundTrip of ROUND_TRIPS) {
      lab.link.setDelay(roundTrip / 2);
      const results = cases.map((): Pushed[] => []);
      for (let run = 0; run < runs; run++)
        for (const [index, { first, push: settings }] of cases.entries()) {
          await clean(lab, settings.hosts, first);
          results[index]!.push(await push(lab, settings));
        }
      for (const [index, { title }] of cases.entries())
        rows.push([
          title,
          `${roundTrip} ms`,
          seconds(quickest(results[index]!.map(({ ms }) => ms))),
          kilobytes(median(results[index]!.map(({ wan }) => wan.sent + wan.received))),
        ]);
    }
  } finally {
    lab.link.setSlowStart(false);
    for (const folder of policies) folder.remove();
  }
  console.log(`\nWhole runs, TCP's slow start on the first link included (the quickest of ${runs} runs):\n`);
  console.log(table(["work", "round trip", "wall time", "bytes on the first link"], rows));
}
