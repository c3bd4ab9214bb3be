import { asMopError, MopError } from "../../transport/errors.js";
import type { Target } from "../../transport/ssh/types.js";
import { backOff, createGates, sleep } from "./limits.js";
import type { Place } from "./place.js";

/** Logins under way at one server: sshd drops connections from the eleventh on (MaxStartups 10:30:100). */
const LOGINS_AT_ONCE = 8;
const DIALS_AT_ONCE = 16;
/** A connection that ended with fewer bytes than this never came to an identification and a key exchange. */
const NOTHING_SAID = 100;
/** Further tries at a server that drops connections before it identifies itself (MaxStartups). */
const DROPS_MAX = 6;

/** A place among those who dial from the same host, and among those who log in at the same server. */
export interface Turn {
  /** The dial needs its place no more */
  dialled(): void;
  /** The server has nothing unfinished of ours */
  leave(): void;
}

/** Lets dials through as servers like them. */
export interface Doors {
  /** Rejects with CANCELLED. */
  enter(parent: Place | undefined, target: Target, signal: AbortSignal): Promise<Turn>;
}

/** Tells servers apart, as far as anyone can from here. */
export const serverKey = (parent: Place | undefined, { address, port }: Target): string =>
  JSON.stringify([parent?.key ?? "", address, port]);

export function createDoors(dialsAtOnce = DIALS_AT_ONCE): Doors {
  const dials = createGates(dialsAtOnce);
  const logins = createGates(LOGINS_AT_ONCE);
  return {
    async enter(parent, target, signal) {
      // First the server's: who waits for a busy server keeps nobody from the others
      // Commands are likely to log in at one server on the way, which drops those that are too many.
      const server = target.proxyCommand === undefined ? serverKey(parent, target) : "ProxyCommand";
      const leaveLogins = await logins(server).enter(signal);
      const leaveDials = await dials(parent?.key ?? "")
        .enter(signal)
        .catch((error: unknown) => {
          leaveLogins();
          throw error;
        });
      return {
        dialled: leaveDials,
        leave() {
          leaveDials();
          leaveLogins();
        },
      };
    },
  };
}

/** Whether the server closed the connection before it said who it is: too many are at their login there. */
const isDrop = (error: unknown, received: number | undefined): boolean => {
  const { code } = asMopError(error);
  return (
    (code === "SSH_DISCONNECTED" || code === "SSH_PROTOCOL") && (received ?? NOTHING_SAID) < NOTHING_SAID
  );
};

/** How long one login is tried at a server that drops us. */
export interface Patience {
  /**
   * Whether it was a drop, and the next try is due; the turn is given up before. Rejects with CANCELLED, and with the
   * error and how often it was tried when that is enough.
   */
  again(error: unknown, received: number | undefined): Promise<boolean>;
}

export function createPatience(signal: AbortSignal): Patience {
  let drops = 0;
  return {
    async again(error, received) {
      if (!isDrop(error, received)) return false;
      if (++drops > DROPS_MAX) {
        const { code, message } = asMopError(error);
        const text = `${message} (${drops} times: too many are at their login there, or it turns this address away)`;
        throw new MopError(code, text, { cause: error });
      }
      await sleep(backOff(drops, Math.random()), signal);
      return true;
    },
  };
}
