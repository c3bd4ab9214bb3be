/** An ssh-agent of this machine, without keys at first. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { until } from "./alive.js";

/** Its socket stands there once this is through. */
export async function startAgent(socket: string): Promise<{ stop(): Promise<void> }> {
  const child = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  const ended = once(child, "exit");
  const stop = async () => {
    child.kill();
    await ended;
  };
  const early = ended.then(() => {
    throw new Error(`ssh-agent ended without a socket at ${socket}`);
  });
  try {
    await Promise.race([until("the agent's socket", () => existsSync(socket)), early]);
  } catch (error) {
    child.kill();
    throw error;
  }
  return { stop };
}
