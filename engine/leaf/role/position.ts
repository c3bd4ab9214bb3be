import { ROLE_FILE } from "../modules/loader.js";

const FRAME = new RegExp(`(?:^|[\\s(/])${ROLE_FILE.replace(".", "\\.")}:(\\d+):(\\d+)`, "m");

/** The topmost place in the role's own code, as "role.js:12:5"; the controller maps it to the user's file. */
export function positionIn(stack: string | undefined): string | undefined {
  const match = FRAME.exec(stack ?? "");
  return match ? `${ROLE_FILE}:${match[1]}:${match[2]}` : undefined;
}

/** Where role code calls from, at this moment. `below`: the function whose callers count. */
export function callPosition(below: (...args: never[]) => unknown): string | undefined {
  const here: { stack?: string } = {};
  Error.captureStackTrace(here, below);
  return positionIn(here.stack);
}

/** One sentence for what was thrown, whatever it is; never a stack. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error || isErrorLike(thrown)) {
    const { name, message } = thrown;
    if (message === "") return name || "an error without a message was thrown";
    // A mistake in the role's code ("x is not a function") says more with its kind.
    return /^(Type|Reference|Range|Syntax)Error$/.test(name) ? `${name}: ${message}` : message;
  }
  if (typeof thrown === "string") return thrown === "" ? "an empty text was thrown" : thrown;
  if (typeof thrown === "object" && thrown !== null) return "an object that is no Error was thrown";
  return `${String(thrown)} was thrown`;
}

/** Builtins and other realms throw errors of another class. */
function isErrorLike(thrown: unknown): thrown is Error {
  return (
    typeof thrown === "object" &&
    thrown !== null &&
    typeof (thrown as Error).message === "string" &&
    typeof (thrown as Error).name === "string"
  );
}
