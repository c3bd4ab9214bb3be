import type { Connection } from "./connection.js";
import type { Target } from "./types.js";
import type { AuthPort } from "./userauth.js";

/** Looks on at logins, for who has to tell what happened at each step. */
export interface LoginWatch {
  /** A pipe is open; identification, algorithms and host key are the connection's to tell, as far as it comes. */
  opened(target: Target, connection: Connection): void;
  /** What the login's requests go through: the same port, or one that notes them */
  through(target: Target, port: AuthPort): AuthPort;
}
