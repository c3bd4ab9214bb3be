import { once } from "node:events";
import type { Duplex } from "node:stream";
import type { Target } from "../../transport/ssh/types.js";
import type { RealServer } from "./real-sshd.js";

/** The target that logs in to a server of this test, strictly checked. */
export function targetOf(server: RealServer, more: Partial<Target> = {}): Target {
  return {
    name: server.kind,
    address: server.address,
    port: server.port,
    user: server.user,
    identityFiles: server.identityFiles,
    identitiesOnly: true,
    knownHostsFiles: [server.knownHostsFile],
    hostKeys: "strict",
    connectTimeoutMs: 10_000,
    keepaliveMs: 0,
    ...more,
  };
}

/**
 * Resolves when the server has reaped the command; call it before the command can end. A test that runs another command
 * in the same session waits for this, not for the end of the output: Dropbear from 2022.82 to 2024.85 takes a session
 * channel that has no command yet for one whose command is over, and closes it, if it is opened while another command is
 * reaped (mkj/dropbear, pull request 326). The command may have run then, so nobody could try again in its place; mop
 * itself runs one command a session.
 */
export const commandOver = (pipe: Duplex): Promise<unknown> => once(pipe, "exit");
