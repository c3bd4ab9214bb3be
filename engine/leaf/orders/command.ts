import { existsSync } from "node:fs";
import os from "node:os";
import type { CommandOrder, LeafResult } from "../../vocabulary/order.js";
import type { Events } from "../events.js";
import type { Children } from "../process/children.js";

export interface CommandParts {
  readonly children: Pick<Children, "run">;
  readonly events: Pick<Events, "output">;
  readonly signal: AbortSignal;
}

/** Runs one command as `ssh host command` would: by the user's shell, in the home folder. */
export async function runCommand(
  order: CommandOrder,
  { children, events, signal }: CommandParts,
): Promise<LeafResult> {
  const { command, timeoutMs } = order;
  const stop = new AbortController();
  const cancel = () => stop.abort();
  let late = false;
  const timer =
    timeoutMs === null
      ? undefined
      : setTimeout(() => {
          late = true;
          stop.abort();
        }, timeoutMs);
  if (signal.aborted) cancel();
  else signal.addEventListener("abort", cancel, { once: true });
  const { shell, home } = account();
  try {
    const { rc, signal: ended } = await children.run({
      file: shell,
      args: ["-c", command],
      ...(existsSync(home) ? { cwd: home } : {}),
      signal: stop.signal,
      onOutput: (stream, text) => events.output(stream, text),
    });
    return { kind: "command", rc, signal: ended };
  } catch (error) {
    if (late) throw new Error(`the command took longer than ${Number(timeoutMs) / 1000} s and was ended`);
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cancel);
  }
}

/** sshd asks the account for the shell; SHELL stands in where there is no account, as in containers. */
function account(): { shell: string; home: string } {
  const fallback = { shell: process.env.SHELL || "/bin/sh", home: process.env.HOME || "/" };
  try {
    const { shell, homedir } = os.userInfo();
    return { shell: shell || fallback.shell, home: homedir || fallback.home };
  } catch {
    return fallback;
  }
}
