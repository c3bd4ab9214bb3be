import { createLogin } from "../../transport/ssh/login.js";
import { dialSocket } from "../../transport/ssh/tcp.js";
import { createMeshOver } from "./mesh.js";
import type { DialingMesh, MeshOptions } from "./types.js";

/** The controller's mesh over SSH. Nothing is contacted before a host is reached. */
export function createMesh(options: MeshOptions): DialingMesh {
  return createMeshOver(
    {
      login: createLogin(),
      dialSocket: (target, signal) => {
        const { address, port, connectTimeoutMs, tcpTimeoutMs = connectTimeoutMs } = target;
        return dialSocket(address, port, tcpTimeoutMs, signal, target);
      },
    },
    options,
  );
}
