import { createGate } from "../../../relay/gate.js";
import { createPatience } from "../../../relay/mesh/doors.js";
import type { DialingMesh, Hop, OpenPipe } from "../../../relay/mesh/types.js";
import { asMopError, MopError } from "../../../transport/errors.js";
import { knownHostsName } from "../../../transport/ssh/host-key.js";
import { keyType } from "../../../transport/ssh/known-hosts.js";
import { appendKnownHosts } from "../../../transport/ssh/known-hosts-file.js";
import { fingerprint, keyBits } from "../../../transport/ssh/public-key.js";
import {
  type Attempt,
  compareHostKeys,
  readHostKeys,
  type ShownKey,
} from "../../../transport/ssh/read-host-keys.js";
import type { Target } from "../../../transport/ssh/types.js";
import type { HostEvent } from "../../vocabulary/events.js";
import { PolicyError } from "../policy-error.js";
import { lossOf } from "./host-state.js";
import { type HostOptions, targetsOf } from "./prepare-hosts.js";

/** A key that a host showed. */
export interface TrustKey {
  /** "ssh-ed25519" */
  readonly type: string;
  readonly bits: number;
  /** "SHA256:..." */
  readonly fingerprint: string;
  /** Where it stands already, as "file, line 3"; absent: it is new */
  readonly known?: string;
}

/** What became of a host's keys. */
export interface TrustEvent {
  readonly event: "trust";
  readonly host: string;
  readonly route: readonly string[];
  /** Under which it stands in known_hosts: "10.0.0.1", "[10.0.0.1]:2222" */
  readonly name: string;
  readonly keys: readonly TrustKey[];
  readonly file: string;
  /** `known`: there was nothing to write */
  readonly outcome: "recorded" | "known" | "declined";
}

export type TrustOffer = Omit<TrustEvent, "event" | "outcome">;

export interface TrustOptions extends HostOptions {
  /** Of the inventory, or [user@]host[:port] */
  readonly names: readonly string[];
  /** Whether the new keys are right; asked one host at a time */
  accept(offer: TrustOffer): Promise<boolean>;
}

/** Each is asked over several connections, which a bastion opens. */
const HOSTS_AT_ONCE = 8;

interface Found {
  readonly target: Target;
  readonly offer: TrustOffer;
  readonly keys: readonly ShownKey[];
}

/**
 * Shows the hosts' keys and records what is accepted, nearer hosts first: so a bastion that is trusted here leads to
 * those behind it. Hosts are not logged in to, those on the way to them are. Throws PolicyError before anything was
 * contacted.
 */
export async function trustHosts(
  options: TrustOptions,
  mesh: Pick<DialingMesh, "openPipe">,
  report: (event: TrustEvent | HostEvent) => void,
): Promise<{ failed: string[]; unreachable: string[]; interrupted: boolean }> {
  const { signal = new AbortController().signal } = options;
  const { planner } = await targetsOf(options);
  const routes = await Promise.all([...new Set(options.names)].map((name) => planner.route(name)));
  for (const route of routes) checkRoute(route);
  const gate = createGate(HOSTS_AT_ONCE);
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    const leave = await gate.enter(signal);
    return work().finally(leave);
  };
  const failed: string[] = [];
  const unreachable: string[] = [];
  for (const depth of [...new Set(routes.map((route) => route.length))].sort((a, b) => a - b)) {
    const level = routes.filter((route) => route.length === depth);
    const asked = await Promise.allSettled(level.map((route) => inTurn(() => ask(route, mesh, signal))));
    for (const [index, answer] of asked.entries()) {
      const name = level[index]!.at(-1)!.target.name;
      try {
        if (answer.status === "rejected") throw answer.reason;
        const cancelled = () => new MopError("CANCELLED", "The run was interrupted");
        if (signal.aborted) throw cancelled();
        const outcome = await settle(answer.value, options);
        if (outcome === "declined" && signal.aborted) throw cancelled();
        if (outcome === "declined") failed.push(name);
        report({ event: "trust", ...answer.value.offer, outcome });
      } catch (error) {
        const { at, error: cause } = lossOf(error, name);
        const { code, message: reason } = cause;
        unreachable.push(name);
        report({ event: "host", host: name, state: "unreachable", at, code, reason });
      }
    }
  }
  return { failed, unreachable, interrupted: signal.aborted };
}

function checkRoute(route: readonly Hop[]): void {
  const { kind, target } = route.at(-1)!;
  if (kind === "local")
    throw new PolicyError(`${target.name} is this machine, which has no host key to trust`);
  if (target.knownHostsFiles.length === 0)
    throw new PolicyError(
      `ssh's configuration names no known_hosts file for ${target.name}; give one with --known-hosts`,
    );
}

/** The keys that a host shows, and what is known of them. */
async function ask(
  route: readonly Hop[],
  mesh: Pick<DialingMesh, "openPipe">,
  signal: AbortSignal,
): Promise<Found> {
  const { target } = route.at(-1)!;
  const attempt: Attempt = async (one) => {
    const patience = createPatience(signal);
    for (;;) {
      const ways: OpenPipe[] = [];
      const openPipe = async (dialling: () => void) => {
        const way = await mesh.openPipe(route.slice(0, -1), target, dialling);
        ways.push(way);
        return way.pipe;
      };
      try {
        return await one(openPipe);
      } catch (thrown) {
        const [way] = ways;
        // A connection that was never made shows as an end of the pipe, which we have closed by now where it was made
        const ended = await way?.failure();
        const error = ended && ended.code !== "CANCELLED" ? ended : thrown;
        if (!(await patience.again(error, way?.bytes().received))) throw error;
      }
    }
  };
  const shown = await readHostKeys(attempt, target, signal);
  const keys = await compareHostKeys(target, shown);
  const offer = {
    host: target.name,
    route: route.map((hop) => hop.target.name),
    name: knownHostsName(target),
    keys: keys.map(({ key, known }) => ({
      type: keyType(key),
      bits: keyBits(key),
      fingerprint: fingerprint(key),
      ...(known ? { known: `${known.file}, line ${known.line}` } : {}),
    })),
    file: target.knownHostsFiles[0]!,
  };
  return { target, offer, keys };
}

async function settle(
  { target, offer, keys }: Found,
  { accept }: TrustOptions,
): Promise<TrustEvent["outcome"]> {
  const fresh = keys.filter(({ known }) => known === undefined).map(({ key }) => key);
  if (fresh.length === 0) return "known";
  if (!(await accept(offer))) return "declined";
  try {
    appendKnownHosts(offer.file, offer.name, fresh, target.hashKnownHosts ?? false);
  } catch (error) {
    const { message } = asMopError(error);
    throw new MopError(
      "HOST_KEY_UNKNOWN",
      `${offer.host}: its keys can't be kept in ${offer.file}: ${message}`,
    );
  }
  return "recorded";
}
