import type { Hop } from "../../../relay/mesh/types.js";
import { PolicyError } from "../policy-error.js";
import { parseVia } from "./via.js";

/** One of the ways to a host. */
export interface Way {
  /** The host itself last */
  readonly hops: readonly Hop[];
  /** Names of optional hops that are left out: the first of `hops` is dialled directly, which may not work from here */
  readonly skipped: readonly string[];
}

/** The way that counts where none fails and no hop is left out. */
export const usualWay = (ways: readonly [Way, ...Way[]]): Way =>
  ways.find(({ skipped }) => skipped.length === 0) ?? ways[0];

/** One stop of a route before its login is worked out. */
export interface Stop {
  /** The inventory's name, or the host part of `[user@]host[:port]` */
  readonly name: string;
  readonly user?: string | undefined;
  readonly port?: number | undefined;
}

/** A way before logins are worked out: the stops before the host. */
export interface StopWay {
  readonly stops: readonly Stop[];
  readonly skipped: readonly string[];
}

/** More ways than this to one host are a mistake rather than a plan. */
const MOST_WAYS = 16;

export interface WayFinder {
  /** What stands between the controller and a host by its own account */
  viaOf(stop: Stop): Promise<readonly string[]>;
  stopOf(text: string, where: string): Stop;
  isOptional(name: string): boolean;
}

/**
 * All ways to a host, those that are tried first in front: where a hop may be left out, the ones without it, then in the
 * order of the alternatives. A chain's first host is itself reached by its own ways; leaving a hop out means that
 * the controller dials the host behind it.
 */
export async function findWays(
  finder: WayFinder,
  target: Stop,
  over: readonly string[] | undefined,
): Promise<readonly StopWay[]> {
  const expand = async (
    stop: Stop,
    chain: readonly string[],
    trail: readonly string[],
  ): Promise<StopWay[]> => {
    if (trail.includes(stop.name))
      throw new PolicyError(
        `the route to ${trail[0]} leads in a circle: ${[...trail, stop.name].join(" via ")}`,
      );
    const where = `the route to ${target.name}`;
    let ways: StopWay[] = [{ stops: [], skipped: [] }];
    for (const [index, text] of chain.entries()) {
      const entry = parseVia(text, where);
      const stops = entry.alternatives.map((name) => finder.stopOf(name, where));
      const next: StopWay[] = [];
      if (entry.optional || stops.some(({ name }) => finder.isOptional(name)))
        next.push({ stops: [], skipped: stops.map(({ name }) => name) });
      for (const way of ways)
        for (const one of stops) {
          const heads =
            index === 0
              ? await expand(one, await finder.viaOf(one), [...trail, stop.name])
              : [{ stops: [], skipped: [] }];
          for (const head of heads)
            next.push({
              stops: [...way.stops, ...head.stops, one],
              skipped: [...way.skipped, ...head.skipped],
            });
        }
      ways = next;
      if (ways.length > MOST_WAYS)
        throw new PolicyError(
          `${where} has ${ways.length} ways or more, at most ${MOST_WAYS} are tried; name fewer alternatives in mop_via`,
        );
    }
    return ways;
  };
  const ways = await expand(target, over ?? (await finder.viaOf(target)), []);
  for (const { stops } of ways) {
    const names = [...stops.map((stop) => stop.name), target.name];
    const twice = names.find((one, index) => names.indexOf(one) !== index);
    if (twice !== undefined)
      throw new PolicyError(`the route to ${target.name} passes ${twice} twice: ${names.join(", ")}`);
  }
  return ways;
}
