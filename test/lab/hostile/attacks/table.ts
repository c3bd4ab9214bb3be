import type { Attack } from "../attack.js";
import { FLOODS } from "./floods.js";
import { FRAMES } from "./frames.js";
import { LOGINS, SESSIONS } from "./pipes.js";

/** Every attack, by the sentence that tests call it by; an honest node is a double too, for the record that it keeps. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  honest: {},
  ...LOGINS,
  ...SESSIONS,
  ...FRAMES,
  ...FLOODS,
};
