import { asMopError, type ErrorName, MopError } from "../../transport/errors.js";
import type { LoginPace } from "../../transport/ssh/types.js";
import { auditElevation } from "./audit.js";
import { createPatience, type Doors, serverKey } from "./doors.js";
import { HOPS } from "./hops/table.js";
import { notForwarded } from "./left.js";
import { moment } from "./limits.js";
import { lossAbove } from "./loss.js";
import type { Place } from "./place.js";
import type { Attempts, StartPort } from "./start.js";
import { UnreachableError, unreachable } from "./unreachable.js";
import type { From } from "./ways.js";

/** What a guess of a pipelined login may fail with: worth one login that waits for each answer. */
const GUESSED_WRONG: ReadonlySet<ErrorName> = new Set<ErrorName>([
  "AUTH_REFUSED",
  "SSH_PROTOCOL",
  "SSH_DISCONNECTED",
  "SSH_CHANNEL_REFUSED",
  "HANDOFF_REFUSED",
]);

export interface GrowPort extends StartPort {
  readonly doors: Doors;
  /** Servers at which a guess failed in this run */
  readonly plainly: Set<string>;
}

/** Reaches the place, its parent first; the outcome stands in the place. Never rejects. */
export async function grow(port: GrowPort, place: Place): Promise<void> {
  const started = performance.now();
  const attempts: Attempts = {
    replay: undefined,
    attaching: undefined,
    announced: false,
    dialled: () => {},
  };
  try {
    const from = await wayOut(place.parent);
    const info = await HOPS[place.hop.kind].reach({
      port,
      place,
      from,
      attempts,
      tries: (attempt) => tries(port, place, attempts, attempt),
    });
    if (info) {
      place.reached(info, performance.now() - started);
      auditElevation(port.options.onAudit, place);
    }
  } catch (error) {
    const why = port.signal.aborted ? cancelled(place) : explained(place, asMopError(error));
    const told = () =>
      (port.signal.aborted ? undefined : refusedBefore(place, error)) ??
      unanswered(place, why) ??
      unreachable(place.name, why);
    place.blamed = told();
    const cause = (await shownAbove(place)) ?? told();
    auditElevation(port.options.onAudit, place, cause.error);
    attempts.replay?.fail(cause);
    port.endpoint.dropChild(place.id, cause);
    place.way?.pipe.destroy();
    place.process?.kill();
    place.fail(cause);
  }
}

/** A failure before the place was up, in the words of its kind of hop. */
export const explained = (place: Place, error: MopError): MopError =>
  place.isUp || error instanceof UnreachableError
    ? error
    : (HOPS[place.hop.kind].explain?.(place, error) ?? error);

/** The host before it is only a jump, and forwards nothing. */
const refusedBefore = ({ parent }: Place, error: unknown): UnreachableError | undefined =>
  parent?.starts === "nothing" && asMopError(error).code === "FORWARDING_REFUSED"
    ? unreachable(parent.name, notForwarded(parent, asMopError(error)))
    : undefined;

const cancelled = (place: Place) => new MopError("CANCELLED", `${place.name}: the run was cancelled`);

/**
 * From where a place's children are dialled; waits until orders may be sent there. Where a Node may have to be brought
 * first that takes as long as it takes: those behind it, which have their limits, are dialled when it runs.
 */
export async function wayOut(place: Place | undefined): Promise<From> {
  if (!place) return { type: "controller" };
  await place.dispatched.promise;
  if (place.hop.bring && place.starts !== "nothing") await place.up.promise;
  return HOPS[place.hop.kind].wayOut(place);
}

/** The failure of a host above, which may take a moment to show. */
async function shownAbove(place: Place): Promise<UnreachableError | undefined> {
  if (!place.parent) return undefined;
  if (!lossAbove(place)) await moment();
  return lossAbove(place)?.failure;
}

/** A host above whose node has said nothing yet: what was waited for behind it was its answer. */
function unanswered(place: Place, { code }: MopError): UnreachableError | undefined {
  if (code !== "CONNECT_TIMEOUT") return undefined;
  let silent: Place | undefined;
  for (let above = place.parent; above; above = above.parent)
    if (above.id !== 0 && !above.isUp) silent = above;
  if (!silent) return undefined;
  const { name } = silent;
  const text = `no node has answered on ${name} in the time that ${place.name} has to be reached (--connect-timeout)`;
  return new UnreachableError(name, new MopError("TIMEOUT", text));
}

/**
 * Tries until it works or can't: again after a pause where the server dropped us because too many are at their login,
 * once more without guesses where a pipelined login failed.
 */
async function tries<T>(
  port: GrowPort,
  place: Place,
  attempts: Attempts,
  attempt: (pace: LoginPace) => Promise<T>,
): Promise<T> {
  const { target } = place.hop;
  const server = serverKey(place.parent, target);
  const patience = createPatience(port.signal);
  let pace: LoginPace = port.plainly.has(server) ? "plain" : port.options.pace;
  for (;;) {
    // Until its node is up: only then is it sure that the server counts us among those at their login no more
    const turn = await port.doors.enter(place.parent, target, port.signal);
    attempts.dialled = turn.dialled;
    try {
      return await attempt(pace);
    } catch (error) {
      const { code } = asMopError(error);
      const received = place.way?.bytes().received;
      place.session?.close();
      place.way?.pipe.destroy();
      turn.leave();
      if (port.signal.aborted || place.authenticated || place.isGone || place.parent?.isGone) throw error;
      if (await patience.again(error, received)) continue;
      if (pace === "plain" || !GUESSED_WRONG.has(code)) throw error;
      pace = "plain";
      port.plainly.add(server);
    } finally {
      turn.leave();
    }
  }
}
