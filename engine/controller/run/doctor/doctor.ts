import { existsSync } from "node:fs";
import path from "node:path";
import type { Hop, Mesh, NodeHandle } from "../../../../relay/mesh/types.js";
import type { NodeInfo } from "../../../../transport/types.js";
import { mopPackage } from "../../policy/mop-package.js";
import { elevated } from "../../route/become.js";
import { namesOf } from "../../route/next-way.js";
import { usualWay } from "../../route/ways.js";
import { withoutSecrets } from "../../secrets/known-secrets.js";
import { hostLayers, markNamed } from "../../secrets/secret-vars.js";
import { type Loss, lossOf } from "../host-state.js";
import type { RunResult } from "../options.js";
import { interrupted } from "../ping-hosts.js";
import { type HostOptions, targetsOf } from "../prepare-hosts.js";
import { becomesOf } from "../targets.js";
import { readWing } from "../wing-files.js";
import { conclude, type DoctorEvent, type Finding } from "./findings.js";
import { linkFindings, loginFindings, nodeFindings } from "./hop-findings.js";
import { notedLogin } from "./login-notes.js";
import { probe } from "./probe.js";

/** The route that is walked, and the mesh to walk it over. */
export interface DoctorOptions extends HostOptions {
  /** Of the inventory, or `[user@]host[:port]` */
  readonly host: string;
}

export type Notes = ReturnType<typeof notedLogin>;

/** Logins with notes: `runsCommands` is false of hosts that only forward. */
export const doctorNotes = (): Notes & { jumps: Set<string> } => {
  const jumps = new Set<string>();
  return { ...notedLogin((name) => !jumps.has(name)), jumps };
};

/**
 * Walks the route to a host as a push would take it, and tells of each hop what was met there, up to the one where it
 * ends. Throws PolicyError before anything was contacted.
 */
export async function examine(
  options: DoctorOptions,
  mesh: Mesh,
  notes: ReturnType<typeof doctorNotes>,
  given: (event: DoctorEvent) => void,
): Promise<Pick<RunResult, "failed" | "unreachable" | "interrupted">> {
  const { host } = options;
  const targets = await targetsOf({ ...options, ...withoutInventory(options) });
  const { inventory, planner } = targets;
  markNamed(hostLayers(inventory));
  const ways = await planner.ways(host);
  const way = usualWay(ways);
  const hops = way.hops.map(endToEnd);
  const target = hops.at(-1)!.target;
  for (const hop of hops.slice(0, -1)) if (hop.kind === "jump") notes.jumps.add(hop.target.name);
  const wing = await readWing(options.mop ?? mopPackage());

  const findings: Finding[] = [];
  const tell = (more: readonly Finding[]) => {
    for (const one of more) {
      const finding = { ...one, text: withoutSecrets(one.text) };
      findings.push(finding);
      given({ event: "finding", host, ...finding });
    }
  };
  const stop = interrupted(options.signal);
  const up = (node: NodeHandle): Promise<NodeInfo> => {
    node.dispatched.catch(() => undefined);
    return Promise.race([node.up, stop.promise]);
  };
  /** What ended the walk, if something did. */
  const walk = async (): Promise<Loss | undefined> => {
    const whole = mesh.reach(hops);
    const loss = await up(whole).then(
      () => undefined,
      (error: unknown) => lossOf(error, host),
    );
    for (const [index, hop] of hops.entries()) {
      const { name } = hop.target;
      const lost = loss?.at === name || (loss && index === hops.length - 1) ? loss : undefined;
      tell(await loginFindings(hop, notes.of(name), index === 0, lost?.error));
      if (lost) return lost;
      if (hop.kind === "jump" && index < hops.length - 1) continue;
      const jump = whole.jumps?.find(({ at }) => at === name);
      if (jump && index < hops.length - 1) {
        const text = `${jump.reason}; it is passed as a jump`;
        tell([{ hop: name, check: "node", status: "hint", text }]);
        continue;
      }
      try {
        const node = mesh.reach(hops.slice(0, index + 1));
        const info = await up(node);
        const found = await Promise.race([probe(mesh, node, info, wing), stop.promise]);
        tell(nodeFindings(name, info, found));
        tell(linkFindings(name, (await mesh.ping(node)).at(-1), found));
      } catch (error) {
        const late = lossOf(error, name);
        tell([{ hop: late.at, check: "node", status: "failed", text: late.error.message }]);
        return late;
      }
    }
    return undefined;
  };
  const becomes = async (): Promise<void> => {
    const known = { name: host, vars: inventory.hosts.get(host)?.vars ?? {} };
    const become = becomesOf([known], targets, options).get(host);
    if (!become) return;
    const finding = { hop: target.name, check: "become" } as const;
    const node = mesh.reach(elevated(hops, become));
    await up(node).then(
      (info) =>
        tell([
          { ...finding, status: "ok", text: `${become.method} to ${become.user} works (uid ${info.uid})` },
        ]),
      (error: unknown) => tell([{ ...finding, status: "failed", text: lossOf(error, host).error.message }]),
    );
  };
  try {
    const loss = await walk();
    if (!loss) await becomes();
    const { status, text } = conclude(findings, host, target.user);
    const others =
      ways.length > 1 && status === "failed"
        ? `; ${ways.length - 1} other ways are tried by mop ping --routes`
        : "";
    given({ event: "diagnosis", host, route: namesOf(way), status, text: `${text}${others}` });
    return {
      failed: !loss && status === "failed" ? [host] : [],
      unreachable: loss ? [host] : [],
      interrupted: options.signal?.aborted ?? false,
    };
  } finally {
    stop.release();
  }
}

/** A session that stays with us tells more: what a shell or a node says on the way. What runs there is the same. */
const endToEnd = (hop: Hop): Hop => (hop.kind === "relay" ? { ...hop, kind: "sealed" } : hop);

/** A host can be looked at without any inventory, as ssh would reach it. */
function withoutInventory({
  inventory,
  policy,
  cwd = process.cwd(),
}: DoctorOptions): Pick<HostOptions, "inventory"> {
  if (inventory !== undefined || policy !== undefined) return {};
  const beside = ["inventory.toml", "policy.ts"].some((name) => existsSync(path.join(cwd, name)));
  return beside ? {} : { inventory: {} };
}
