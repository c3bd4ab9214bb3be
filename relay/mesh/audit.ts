import type { MopError } from "../../transport/errors.js";
import type { LoginPace, SshSession } from "../../transport/ssh/types.js";
import type { Place } from "./place.js";

/** A login, a hand-off or an elevation and how it ended; no secrets. Names and sentences may be a host's words. */
export type AuditEntry = {
  readonly host: string;
  /** The account of the login */
  readonly account: string;
  /** Where the host before it, or this machine, dialled */
  readonly address: string;
  /** Names of the hops from the first to this host */
  readonly route: readonly string[];
  /** "ok", or why not */
  readonly outcome: string;
} & (
  | {
      readonly event: "login";
      /** "publickey", "password"...; absent where nothing was accepted (the outcome says what was tried) */
      readonly method?: string;
      /** Fingerprint of the key that it was made with */
      readonly key?: string;
      readonly pace: LoginPace;
    }
  /** The session's keys were given to the node on this host of the route */
  | { readonly event: "hand-off"; readonly to: string }
  | { readonly event: "elevation"; readonly method: string; readonly become: string }
);

export type OnAudit = (entry: AuditEntry) => void;

/** Something under way, of which one entry is made: at the first end. */
export interface Audited {
  end(error?: Error): void;
}

const commonOf = ({ name, route, hop: { kind, target } }: Place) => {
  const host = target.address.includes(":") ? `[${target.address}]` : target.address;
  // This machine is not dialled
  const address = kind === "local" ? host : `${host}:${target.port}`;
  return { host: name, account: target.user, address, route };
};

function once(place: Place, tell: (outcome: string) => void): Audited {
  let over = false;
  return {
    end(error) {
      if (over) return;
      over = true;
      if (!error || !isOvertaken(place)) tell(error ? error.message : "ok");
    },
  };
}

/** It never came to its host: one before it turned out to be a jump, and it is done behind that. */
function isOvertaken({ parent }: Place): boolean {
  for (let at = parent; at; at = at.parent) if (at.left) return true;
  return false;
}

/** `proof`: what it is made with, once that is known. */
export interface AuditedLogin extends Audited {
  proof: SshSession["proof"] | undefined;
}

export function auditLogin(tell: OnAudit | undefined, place: Place, pace: LoginPace): AuditedLogin {
  const login: AuditedLogin = {
    proof: undefined,
    ...once(place, (outcome) =>
      tell?.({ event: "login", ...commonOf(place), ...login.proof, pace, outcome }),
    ),
  };
  return login;
}

export const auditHandOff = (tell: OnAudit | undefined, place: Place, to: string): Audited =>
  once(place, (outcome) => tell?.({ event: "hand-off", ...commonOf(place), to, outcome }));

/** Of a node that was to run as another account, after its host let us in. */
export function auditElevation(tell: OnAudit | undefined, place: Place, error?: MopError): void {
  const { become } = place.hop;
  if (!become || !place.authenticated) return;
  const { method, user } = become;
  const outcome = error ? error.message : "ok";
  tell?.({ event: "elevation", ...commonOf(place), method, become: user, outcome });
}
