import type { Place } from "./place.js";
import type { HopReason } from "./types.js";

/** Hosts on the way that still may turn out to have no node: orders go ahead of that all the same. */
export function isUndecided({ parent }: Place): boolean {
  for (let at = parent; at; at = at.parent)
    if (at.mayJump && !at.isUp && at.starts !== "nothing") return true;
  return false;
}

/**
 * Resolves when all is known of hosts on the way that were lost: that a node has ended overtakes what its parent says of
 * the login, which may still lead on.
 */
export async function lossesTold(place: Place): Promise<void> {
  for (let at: Place | undefined = place; at; at = at.parent) if (at.isGone) await at.told;
}

/** Where a place's way goes on over a login that a node was to be started over, the first one first. */
export function jumpsOf(place: Place): HopReason[] {
  const jumps: HopReason[] = [];
  for (let at: Place | undefined = place; at; at = at.parent)
    if (at.goesOnWith) jumps.unshift({ at: at.name, reason: at.goesOnWith.reason.message });
  return jumps;
}
