import type { Place } from "./place.js";
import { type UnreachableError, unreachable } from "./unreachable.js";

/** What ended the place. Of a jump's session everybody hears behind what went through it. */
function failureOf({ failure, out, name }: Place): UnreachableError | undefined {
  const ended = out?.type === "jump" ? out.session.failure : undefined;
  return failure ?? (ended && unreachable(name, ended));
}

/** The first host of a place's way that is lost, which everything below shows in its own way. */
export function lossAbove(
  place: Place,
): { readonly at: Place; readonly failure: UnreachableError } | undefined {
  let first: ReturnType<typeof lossAbove>;
  for (let at = place.parent; at; at = at.parent) {
    const failure = failureOf(at);
    if (failure) first = { at, failure };
  }
  return first;
}
