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
