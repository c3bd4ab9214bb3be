import type { Hop } from "../types.js";
import { HOPS } from "./table.js";

/**
 * The places that a route passes. Whoever types the password of another account has it in memory, and where a relay
 * carries the session to a host, that would be the relay. So the node that is logged in there runs what asks for it, and
 * the other account is a place within, entered by nothing but that: the password is sealed to the first. What takes it
 * from a terminal only (doas) is left to this machine, over a session that stays with it.
 */
export const placesOf = (route: readonly Hop[]): Hop[] =>
  route.flatMap((hop, index): Hop[] => {
    const { become, ...login } = hop;
    const before = route[index - 1];
    if (become?.password === undefined || hop.kind === "command" || !before || !HOPS[before.kind].handsOff)
      return [hop];
    if (become.method === "doas") return [{ ...hop, stays: true }];
    const within: Hop = { ...hop, kind: "command", enter: [] };
    return [login, hop.kind === "sealed" ? { ...within, keepsNone: true } : within];
  });
