import { idOf } from "./credentials.js";
import { dial } from "./dial.js";
import { KeyRing } from "./keys.js";
import { Session } from "./session.js";
import type { Login, LoginPace, Target } from "./types.js";
import type { LoginWatch } from "./watch.js";

const EARLY: Readonly<Record<LoginPace, { readonly kexinit: boolean; readonly share: boolean }>> = {
  plain: { kexinit: false, share: false },
  conformant: { kexinit: true, share: false },
  eager: { kexinit: true, share: true },
};

const accountOf = ({ address, port, user }: Target) => JSON.stringify([address, port, user]);

/** Makes a login; keys that were opened and which of them an account accepted are remembered in it. */
export function createLogin(watch?: LoginWatch): Login {
  const ring = new KeyRing();
  const accepted = new Map<string, string>();
  return async (openPipe, target, { pace, prompter, signal }) => {
    const account = accountOf(target);
    const dialled = await dial(openPipe, target, {
      early: EARLY[pace],
      pipelined: pace !== "plain",
      preferred: accepted.get(account),
      ring,
      prompter,
      signal,
      watch,
    });
    dialled.authenticated.then(
      (credential) => credential && accepted.set(account, idOf(credential)),
      () => accepted.delete(account),
    );
    return new Session(dialled, pace);
  };
}
