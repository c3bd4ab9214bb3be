import { DialError, dial } from "./dial.js";
import { KeyRing } from "./keys.js";
import { Session } from "./session.js";
import type { Login } from "./types.js";

/** Makes a login; keys that were opened and what a host was found to speak are remembered in it. */
export function createLogin(): Login {
  const ring = new KeyRing();
  return async (openPipe, target, { prompter, signal }) => {
    const options = {
      early: { kexinit: false, share: false },
      pipelined: false,
      preferred: undefined,
      ring,
      prompter,
      signal,
    };
    try {
      return new Session(await dial(openPipe, target, options));
    } catch (error) {
      throw error instanceof DialError ? error.error : error;
    }
  };
}
