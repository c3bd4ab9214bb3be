import type { Mesh } from "../../../relay/mesh/types.js";
import type { Value } from "../../../transport/types.js";
import { encodeValue } from "../../../transport/wire/value.js";
import type { RunEvent } from "../../vocabulary/events.js";
import { GATHERED, PLAIN } from "../../vocabulary/facts.js";
import { mopPackage } from "../policy/mop-package.js";
import { PolicyError } from "../policy-error.js";
import { withWays } from "../route/way-mesh.js";
import { KnownSecrets } from "../secrets/known-secrets.js";
import { maskReport } from "../secrets/mask-report.js";
import { maskTexts } from "../secrets/mask-texts.js";
import { HostState } from "./host-state.js";
import type { RunResult } from "./options.js";
import { prepareHosts } from "./prepare.js";
import { type HostOptions, prepareTargets } from "./prepare-hosts.js";
import { runWing, type WingOutcome } from "./run-wing.js";
import { summarize } from "./summarize.js";
import { localTargets } from "./targets.js";
import { readWing } from "./wing-files.js";

export interface FactsOptions extends HostOptions {
  /** This machine instead of the inventory's hosts */
  readonly local?: boolean;
  /** Which facts; default: all */
  readonly names?: readonly string[];
}

/** A host's facts. */
export interface FactsEvent {
  readonly event: "facts";
  readonly host: string;
  readonly facts: { readonly [name: string]: Value };
}

/** The name under which a host's end is reported, since it is no role of a policy. */
const FACTS_ROLE = "facts";
/** Wing parts that gathering may need; the first one it does. */
const PARTS = ["facts", "toml", "yaml"] as const;

/**
 * Gathers the facts of every host at once. A host of which some could not be gathered has failed, after the others were
 * reported. Throws PolicyError before anything was contacted.
 */
export async function gatherHostFacts(
  options: FactsOptions,
  over: Mesh,
  given: (event: RunEvent | FactsEvent) => void,
): Promise<RunResult> {
  const mesh = withWays(over);
  const started = performance.now();
  const report = maskReport<FactsEvent>(given);
  const names = knownNames(options.names ?? []);
  const [hosts, wing] = await Promise.all([hostsOf(options), readWing(options.mop ?? mopPackage())]);
  const parts = PARTS.flatMap((name) => {
    const blob = wing.parts.get(name);
    return blob ? [[name, blob] as const] : [];
  });
  const states = hosts.map((host) => new HostState(host, report));
  const nodes = states.map((state) => state.reach(mesh));
  const first = parts.filter(([name]) => name === "facts" && needsPart(names)).map(([, blob]) => blob);
  mesh.offer([wing.entry, ...parts.map(([, blob]) => blob)], nodes);
  mesh.push([wing.entry.hash, ...first.map((blob) => blob.hash)], nodes);
  const hashes = Object.fromEntries(parts.map(([name, blob]) => [name, blob.hash]));
  const order = encodeValue({ kind: "facts", parts: hashes, names });
  await Promise.all(
    states.map(async (state, index) => {
      const { signal } = options;
      const wingRun = { entry: wing.entry.hash, order, signal, onEvent: () => undefined };
      conclude(state, await runWing(state, nodes[index]!, wingRun), report);
    }),
  );
  return summarize(states, mesh, report, started, options);
}

async function hostsOf(options: FactsOptions) {
  if (!options.local) return (await prepareTargets(options)).hosts;
  const targets = localTargets();
  return [...(await prepareHosts(targets.hosts, targets)).values()];
}

function knownNames(names: readonly string[]): readonly string[] {
  const all: readonly string[] = [...PLAIN, ...GATHERED];
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined)
    throw new PolicyError(`there is no fact "${unknown}"; facts are ${all.join(", ")}`);
  return names;
}

const needsPart = (names: readonly string[]): boolean =>
  names.length === 0 || GATHERED.some((name) => names.includes(name));

function conclude(
  state: HostState,
  outcome: WingOutcome,
  report: (event: RunEvent | FactsEvent) => void,
): void {
  if (outcome.kind === "unreachable") {
    state.lost(outcome.loss);
    return;
  }
  const known = new KnownSecrets();
  let error: string | undefined;
  if (outcome.kind === "lost") error = outcome.error.message;
  else if (outcome.result.kind === "facts") {
    const mask = (text: string) => known.mask(text);
    report({ event: "facts", host: state.name, facts: maskTexts(outcome.result.facts, mask) });
    error = outcome.result.error ?? undefined;
  } else
    error =
      outcome.result.kind === "error"
        ? outcome.result.message
        : `the host answered with a ${outcome.result.kind} result`;
  state.failed = error !== undefined;
  state.count({ status: error === undefined ? "ok" : "failed" });
  const event = { event: "role", host: state.name, role: FACTS_ROLE } as const;
  report(error === undefined ? { ...event, status: "ok" } : { ...event, status: "failed", error });
}
