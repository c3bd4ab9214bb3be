/** Round trips of whole pushes on the first link: the slope of wall time between two delays of it. */
import type { ContainerLab } from "../containers/support/container-lab.js";
import type { PolicyFolder } from "../support/policies.js";
import type { Labs } from "./labs.js";
import { mixedPolicy } from "./policies.js";
import { clean, type PushCase, type Pushed, push } from "./push.js";
import { kilobytes, median, quickest, seconds, table } from "./table.js";

/** Round trips of the first link, in ms. Far apart, so that a loaded machine's noise is small beside them. */
const NEAR = 40;
const FAR = 440;

interface Row {
  readonly title: string;
  readonly lab: ContainerLab;
  readonly case: PushCase;
  readonly near: Pushed[];
  readonly far: Pushed[];
}

const times = (runs: readonly Pushed[]) => runs.map(({ ms }) => ms);

const tripsOf = ({ near, far }: Row): number => (quickest(times(far)) - quickest(times(near))) / (FAR - NEAR);

/** By how much the usual run is slower than the quickest, as round trips: how noisy the machine was. */
const noiseOf = ({ near, far }: Row): number =>
  [near, far].reduce((sum, runs) => sum + median(times(runs)) - quickest(times(runs)), 0) / (FAR - NEAR);

export interface Limit {
  readonly text: string;
  readonly value: number;
  readonly most: number;
}

export async function roundTrips({ two, three }: Labs, runs: number, slowStart: boolean): Promise<Limit[]> {
  const folders: PolicyFolder[] = [];
  const policy = (count: number) => {
    const folder = mixedPolicy(count);
    folders.push(folder);
    return folder.policy;
  };
  const one = ["l1"];
  const five = ["l1", "l2", "l3", "l4", "l5"];
  const twenty = policy(20);
  const row = (title: string, lab: ContainerLab, settings: PushCase): Row => ({
    title,
    lab,
    case: settings,
    near: [],
    far: [],
  });
  const base = row("20 resources, 1 host, 2 bastions", two, { policy: twenty, hosts: one, changed: 20 });
  const conformant = row("the same, only what the RFCs allow", two, {
    ...base.case,
    args: ["--pace", "conformant"],
  });
  const many = row("20 resources, 5 hosts", two, { policy: twenty, hosts: five, changed: 20 });
  const few = row("5 resources, 1 host", two, { policy: policy(5), hosts: one, changed: 5 });
  const hundred = row("100 resources, 1 host", two, { policy: policy(100), hosts: one, changed: 100 });
  const deeper = row("20 resources, 1 host, 3 bastions", three, { policy: twenty, hosts: one, changed: 20 });
  const secret = row("20 resources, 1 host, with a secret", two, {
    ...base.case,
    args: ["-e", "mop_secrets=token token=a-text-of-no-host"],
  });
  const rows = [base, conformant, many, few, hundred, deeper, secret];
  try {
    for (const lab of [two, three]) lab.link.setSlowStart(slowStart);
    // Interleaved, so that whatever else the machine does falls on all alike; the first round only warms up.
    for (let run = 0; run <= runs; run++)
      for (const measured of rows)
        for (const [delay, results] of [
          [NEAR, measured.near],
          [FAR, measured.far],
        ] as const) {
          if (run === 0 && delay === FAR) continue;
          await clean(measured.lab, measured.case.hosts, true);
          measured.lab.link.setDelay(delay / 2);
          const pushed = await push(measured.lab, measured.case);
          if (run > 0) results.push(pushed);
        }
  } finally {
    for (const folder of folders) folder.remove();
    for (const lab of [two, three]) lab.link.setSlowStart(false);
  }
  print(rows, runs, slowStart);
  const limit = (text: string, value: number, most: number): Limit => ({ text, value, most });
  return [
    limit(`${base.title}: at most 12`, tripsOf(base), 12),
    limit(`${conformant.title}: at most 20`, tripsOf(conformant), 20),
    limit("5 hosts instead of 1: at most 1 more", tripsOf(many) - tripsOf(base), 1),
    limit("100 resources instead of 5: at most 1 more", tripsOf(hundred) - tripsOf(few), 1),
    limit("a secret: at most 2 more", tripsOf(secret) - tripsOf(base), 2),
    limit("a third bastion: at most 2 more", tripsOf(deeper) - tripsOf(base), 2),
  ];
}

function print(rows: readonly Row[], runs: number, slowStart: boolean): void {
  const link = slowStart ? "a link with TCP's slow start" : "a delay proxy";
  console.log(
    `\nRound trips of a cold push over ${link} (${NEAR} and ${FAR} ms, the quickest of ${runs} runs):\n`,
  );
  console.log(
    table(
      ["push", "round trips", "noise", `at ${NEAR} ms`, `at ${FAR} ms`, "sent", "received"],
      rows.map((row) => [
        row.title,
        tripsOf(row).toFixed(1),
        noiseOf(row).toFixed(1),
        seconds(quickest(times(row.near))),
        seconds(quickest(times(row.far))),
        kilobytes(median(row.far.map(({ wan }) => wan.sent))),
        kilobytes(median(row.far.map(({ wan }) => wan.received))),
      ]),
    ),
  );
  console.log("\nBytes per link, by the pushes' own summaries:\n");
  console.log(
    table(
      ["push", "link", "sent", "received"],
      rows.flatMap(({ title, far }) =>
        (far.at(-1)?.links ?? []).map(({ from, to, sent, received }, index) => [
          index === 0 ? title : "",
          `${from} to ${to}`,
          kilobytes(sent),
          kilobytes(received),
        ]),
      ),
    ),
  );
}
