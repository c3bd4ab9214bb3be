import { type ErrorName, MopError } from "../../transport/errors.js";
import type { Place } from "./place.js";
import type { From, Way } from "./ways.js";

/** What is left of a login at a host where no node could be had: it forwards connections to those behind it. */
export interface Left {
  /** Why there is no node */
  readonly reason: MopError;
  /** From where hosts behind it are dialled */
  readonly from: From;
  readonly way: Way | undefined;
  /** Resolves when the session is over. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** It is over: a login of its own is needed */
  readonly isOver: boolean;
  release(): void;
}

/** Failures behind a login with which no node can be had there, while connections may still be forwarded. */
const NO_NODE_THERE: ReadonlySet<ErrorName> = new Set<ErrorName>([
  "NO_NODE",
  "NODE_TOO_OLD",
  "BOOT_FAILED",
  "CORE_CORRUPT",
  "SSH_CHANNEL_REFUSED",
  // Of a server that refuses a channel, where the command that was sent ahead to it is all that it minds
  "SSH_DISCONNECTED",
  "TIMEOUT",
]);

/** Nothing ran on a host that failed so, and none of ours can until it has a Node. */
export const lacksNode = ({ code }: MopError): boolean => code === "NO_NODE" || code === "NODE_TOO_OLD";

export const isNoNode = ({ code }: MopError): boolean => NO_NODE_THERE.has(code);

/** The login, as it is known to whoever carries it; `ended`: it is over already. */
interface Carried extends Pick<Left, "from" | "closed" | "release"> {
  readonly ended?: boolean;
}

/**
 * Keeps the login of a place where no node came up, if routes that pass it would do with that: from then on it belongs to
 * the place that goes on with it. Tells whether it was kept.
 */
export function keepLogin(
  place: Place,
  reason: MopError,
  { from, closed, release, ended = false }: Carried,
): boolean {
  if (place.left) return true;
  if (!place.mayJump || !place.authenticated || !isNoNode(reason)) return false;
  let isOver = ended;
  void closed.then(() => {
    isOver = true;
  });
  place.left = {
    reason: new MopError(reason.code, withoutName(place.name, hinted(reason).message), { cause: reason }),
    from,
    way: place.way,
    closed,
    release,
    get isOver() {
      return isOver;
    },
  };
  place.session = undefined;
  place.way = undefined;
  return true;
}

/** A start over SSH that failed, with what is likely to be behind it. */
export const hinted = (error: MopError): MopError =>
  error.code === "CORE_CORRUPT"
    ? new MopError(error.code, `${error.message} (a .bashrc there that reads its input does that)`, {
        cause: error,
      })
    : error;

const withoutName = (name: string, text: string): string =>
  text.startsWith(`${name}: `) ? text.slice(name.length + 2) : text;

/** The server of a host that only forwards refuses to: told of that host, with why it is passed so. */
export function notForwarded({ name, goesOnWith }: Place, error: MopError): MopError {
  const refusal = `its SSH server refuses to forward a connection to ${error.message}`;
  const text = goesOnWith
    ? `${goesOnWith.reason.message}; without a node it is passed as a jump, but ${refusal}: an account that may ` +
      "run Node 16 or newer there, or AllowTcpForwarding in its sshd_config, opens the way"
    : `${refusal}: AllowTcpForwarding in its sshd_config or, where Node is, mop_hop = "relay" opens the way`;
  return new MopError(error.code, `${name}: ${text}`, { cause: error });
}
