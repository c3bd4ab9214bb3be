import type { Elevation } from "../orders.js";
import { askMark } from "./become.js";
import { createTail } from "./noise.js";

/** Answers a program that asks for a password, once. */
export interface Questions {
  /** The answer, when what came ends in the question for the first time. */
  take(chunk: Uint8Array): Buffer | undefined;
  /** Why no answer can help any more */
  readonly refusal: string | undefined;
}

export function createQuestions({ secret, words }: Elevation, nonce: string): Questions {
  let said = createTail(256);
  let asked = 0;
  let answered = false;
  return {
    take(chunk) {
      said.add(chunk);
      if (!(words ? /assword[^\n]*: ?$/ : new RegExp(`${askMark(nonce)}$`)).test(said.text)) return undefined;
      said = createTail(256);
      asked++;
      if (answered || secret.length === 0) return undefined;
      answered = true;
      const answer = Buffer.concat([secret, Buffer.from("\n")]);
      secret.fill(0);
      return answer;
    },
    get refusal() {
      if (asked > (answered ? 1 : 0))
        return answered
          ? "the password to become another user was refused"
          : "a password is asked for to become another user (-K asks you for it, mop_become_password holds it)";
      return undefined;
    },
  };
}
