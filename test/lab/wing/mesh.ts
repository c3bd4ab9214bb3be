import { createHash } from "node:crypto";
import { createMeshOver } from "../../../relay/mesh/mesh.js";
import type { Hop, MeshOptions, NodeHandle } from "../../../relay/mesh/types.js";
import { MopError } from "../../../transport/errors.js";

export type LocalMesh = ReturnType<typeof openMesh>;

export const local: Hop = {
  kind: "local",
  node: "",
  target: {
    name: "here",
    address: "localhost",
    port: 22,
    user: "",
    identityFiles: [],
    identitiesOnly: false,
    knownHostsFiles: [],
    hostKeys: "strict",
    connectTimeoutMs: 5000,
    keepaliveMs: 0,
  },
};

export function openMesh(core: Uint8Array, options: Partial<MeshOptions> = {}) {
  const none = () => Promise.reject(new MopError("INTERNAL", "no SSH here"));
  return createMeshOver(
    { login: none, dialSocket: none, core },
    { pace: "plain", run: "3f2a", operator: "alice@laptop", ...options },
  );
}

/** Offers a wing's source to a node; gives its hash. */
export function offer(mesh: LocalMesh, node: NodeHandle, source: Uint8Array): string {
  const hash = createHash("sha256").update(source).digest("hex");
  mesh.offer([{ hash, size: source.length, read: async () => source }], [node]);
  return hash;
}
