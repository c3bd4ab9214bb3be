import { writeSync } from "node:fs";
import { sentenceOf } from "./faults.js";
import { INTERRUPTED } from "./interrupt.js";

/**
 * A policy's code runs in this process: where it calls process.exit, waits for what never comes or throws where nobody
 * waits, Node ends without a word or with a stack, and with a status that means something else here, 0 among them. What
 * is returned is called at the true end.
 */
export function tellEarlyEnd(): () => void {
  const onExit = (code: number) => {
    if (code === INTERRUPTED) return;
    // Node has just set it (`code` is from before): a top-level await is left that nothing can settle any more
    tell(
      process.exitCode === 13
        ? "nothing is left that could go on: something waits for what never comes, such as an `await` at the top of the policy or in a hook"
        : `the program was ended from within, with status ${code}: a policy may not call process.exit`,
    );
    process.exitCode = 1;
  };
  process.on("exit", onExit);
  // Rejections that nobody handles come here too
  process.on("uncaughtException", (error: unknown) => {
    process.off("exit", onExit);
    const stack = error instanceof Error ? (error.stack ?? "") : "";
    const policys = !(error instanceof Error) || /policy-[0-9a-f]+\.mjs/.test(stack);
    tell(
      policys
        ? `the policy threw where nothing waits for it: ${sentenceOf(error instanceof Error ? error.message : error)}`
        : sentenceOf(error),
    );
    process.exit(1);
  });
  return () => process.off("exit", onExit);
}

function tell(sentence: string): void {
  try {
    writeSync(2, `mop: ${sentence}\n`);
  } catch {
    // Nobody reads it
  }
}
