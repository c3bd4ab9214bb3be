import { authorizedKey } from "../types/authorized-key.js";
import { group } from "../types/group.js";
import { knownHost } from "../types/known-host.js";
import { user } from "../types/user.js";

/** The part "accounts": who is on a host, and who gets in. */
export const types = { user, group, authorizedKey, knownHost };
