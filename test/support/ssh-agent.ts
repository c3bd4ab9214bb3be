/** An ssh-agent of this machine, without keys at first. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";

/** Whether somebody listens there: the socket's file is there a moment before that. */
const listens = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const client = net.connect(socket, () => {
      client.destroy();
      resolve(true);
    });
    client.once("error", () => resolve(false));
  });

async function answered(socket: string): Promise<void> {
  for (let tries = 0; !(await listens(socket)); tries++) {
    if (tries > 1000) throw new Error(`ssh-agent doesn't listen at ${socket}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

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
    await Promise.race([answered(socket), early]);
  } catch (error) {
    child.kill();
    throw error;
  }
  return { stop };
}
