import path from "node:path";
import { mopPackage } from "../../engine/controller/policy/mop-package.js";
import { openSshLookup } from "../../engine/controller/route/ssh-config.js";
import { exitStatus, type RunResult } from "../../engine/controller/run/options.js";
import { prepareRun } from "../../engine/controller/run/prepare.js";
import { executeRun } from "../../engine/controller/run/run-policy.js";
import { createMesh } from "../../relay/mesh/create.js";
import { createLab, type Lab } from "../lab/lab.js";
import { createStyle, type Style, wantsColour } from "../output/style.js";
import { createView, type View } from "../output/view.js";
import { createStop } from "../stop.js";
import { linkTable, treeLines } from "./picture.js";

export interface DemoOptions {
  readonly leaves: number;
  /** One way on the first link, in ms */
  readonly delay: number;
  readonly verbose?: boolean;
}

interface DemoPush {
  readonly result: RunResult;
  /** Round trip of each link by "b1 > b2", in ms */
  readonly roundTrips: ReadonlyMap<string, number>;
}

/**
 * Builds bastions and leaves on loopback, pushes examples/shop until there is nothing to change, and shows what crossed
 * each link. Gives the exit status; what it built is gone afterwards, also after Ctrl-C.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const style = createStyle(wantsColour(process.stdout, process.env));
  const view = createView({ output: "human", verbose: options.verbose }, print);
  const say = (...lines: readonly string[]) => print(`${lines.join("\n")}\n`);
  const stop = createStop(undefined, view.note);
  const lab = await createLab({ leaves: options.leaves, delayMs: options.delay });
  try {
    say(
      style.bold("Two nested bastions, and leaves that only the second one reaches:"),
      "",
      ...treeLines(lab.bastions, lab.leaves, `${2 * options.delay} ms round trip`),
      "",
    );
    say(style.bold("First push of examples/shop: everything is new"), "");
    const first = await push(lab, view, stop.signal);
    if (exitStatus(first.result) !== 0) return exitStatus(first.result);
    say("", style.bold("Second push: nothing to change"), "");
    const second = await push(lab, view, stop.signal);
    if (exitStatus(second.result) !== 0) return exitStatus(second.result);
    // The same once more without the delay: what is left of the difference is the link's.
    lab.link.setDelay(0);
    const undelayed = await push(lab, quiet, stop.signal);
    if (exitStatus(undelayed.result) !== 0) return exitStatus(undelayed.result);
    say(...summaryLines(style, options, first, second, undelayed));
    return changedIn(second.result) === 0 ? 0 : 2;
  } finally {
    await lab.close();
    stop.release();
  }
}

async function push(lab: Lab, view: View, signal: AbortSignal): Promise<DemoPush> {
  const policy = path.join(mopPackage().root, "examples/shop/policy.ts");
  const run = await prepareRun({
    policy,
    inventory: lab.inventoryFile,
    routes: { knownHosts: lab.knownHostsFile, sshConfig: openSshLookup({ file: "none" }), env: {} },
    onWarning: view.note,
    signal,
  });
  const mesh = createMesh({ pace: "eager", run: "demo", operator: "demo", signal });
  try {
    view.expect(run.hosts.size);
    const result = await executeRun(run, mesh, view.report);
    const roundTrips = new Map<string, number>();
    if (exitStatus(result) === 0)
      for (const { ways } of run.hosts.values())
        for (const { from, to, ms } of await mesh.ping(mesh.reach(ways[0].hops)))
          roundTrips.set(`${from} > ${to}`, ms);
    return { result, roundTrips };
  } finally {
    await mesh.close();
  }
}

const print = (text: string): void => void process.stdout.write(text);
const quiet: View = { expect: () => {}, report: () => {}, note: () => {} };

const changedIn = ({ hosts }: RunResult): number =>
  Object.values(hosts).reduce((sum, host) => sum + host.changed, 0);

function summaryLines(
  style: Style,
  { delay }: DemoOptions,
  first: DemoPush,
  second: DemoPush,
  undelayed: DemoPush,
): string[] {
  const lines = ["", style.bold("What crossed each link, and its round trip:"), ""];
  lines.push(...linkTable(first.result.summary.links, second.result.summary.links, second.roundTrips));
  if (delay > 0) {
    const trips = (second.result.summary.ms - undelayed.result.summary.ms) / (2 * delay);
    lines.push(
      "",
      `The second push took ${second.result.summary.ms} ms, and ${undelayed.result.summary.ms} ms without the delay:`,
      `about ${trips.toFixed(1)} round trips of the first link, logins at every host included.`,
    );
  }
  return lines;
}
