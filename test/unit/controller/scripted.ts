import path from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";
import type { MopPackage } from "../../../engine/controller/policy/mop-package.js";
import type { RunOptions, RunResult } from "../../../engine/controller/run/options.js";
import type { PingEvent } from "../../../engine/controller/run/ping-hosts.js";
import { runPolicy } from "../../../engine/controller/run/run-policy.js";
import type { LeafEvent, RunEvent } from "../../../engine/vocabulary/events.js";
import type { LeafOrder, LeafResult, RolePlan } from "../../../engine/vocabulary/order.js";
import type { WingHost } from "../../../relay/wing.js";
import type { Value } from "../../../transport/types.js";
import { decodeValue, encodeValue } from "../../../transport/wire/value.js";
import { MemoryMesh, type MemoryMeshOptions, type MemoryNode } from "../../support/memory-mesh.js";
import { tempFolder } from "./temp-folder.js";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");

/** A package "mop" made from the sources at hand, so that these tests need no build; its wing is only looked at. */
export async function testPackage(): Promise<MopPackage> {
  const { outputFiles } = await build({
    stdin: {
      contents: `export * from "./vocabulary/language.js"; export { ResourceError } from "./leaf/errors.js";`,
      resolveDir: path.join(ROOT, "engine"),
    },
    bundle: true,
    write: false,
    format: "esm",
  });
  const root = await tempFolder({
    "index.js": outputFiles[0]!.contents,
    ...bundled("leaf", "the wing's entry"),
    ...bundled("core", "the core"),
    ...bundled("templates", "the template engine"),
  });
  return {
    root: ROOT,
    entry: path.join(root, "index.js"),
    types: path.join(ROOT, "engine/index.ts"),
    bundles: path.join(root, "bundles"),
  };
}

/** A bundle as the build writes it: plain, and in Brotli as it travels. */
const bundled = (name: string, text: string) => ({
  [`bundles/${name}.js`]: text,
  [`bundles/${name}.js.br`]: brotliCompressSync(text),
});

/** What a scripted leaf is told, and may do. */
export interface Leaf {
  readonly host: string;
  readonly order: LeafOrder;
  /** Of a role's order */
  readonly plan: RolePlan;
  readonly node: MemoryNode;
  readonly signal: AbortSignal;
  emit(event: LeafEvent): Promise<void>;
  blob(hash: string): Promise<Uint8Array>;
}

export type LeafScript = (leaf: Leaf) => LeafResult | Promise<LeafResult>;

export const OK: LeafResult = { kind: "role", status: "ok", error: null };

/** A wing that follows a script over the real encodings. */
export const scripted =
  (script: LeafScript) =>
  async (host: WingHost, node: MemoryNode): Promise<void> => {
    const order = decodeValue(host.order) as unknown as LeafOrder;
    const plan = (order.kind === "role"
      ? decodeValue(await host.blob(order.plan))
      : {}) as unknown as RolePlan;
    const { signal } = host;
    const emit = (event: LeafEvent) => host.emit(encodeValue(event as unknown as Value));
    const result = await script({ host: node.name, order, plan, node, signal, emit, blob: host.blob });
    host.done(encodeValue(result as unknown as Value));
  };

export const resource = (
  role: string,
  name: string,
  status: "ok" | "changed" | "failed" | "skipped",
): LeafEvent => ({ event: "resource", role, type: "file", name, status, changes: [], ms: 1 });

export interface Scripted {
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly leaf?: LeafScript;
  readonly mesh?: Partial<MemoryMeshOptions>;
  readonly options?: Partial<RunOptions>;
}

export interface ScriptedRun {
  readonly result: RunResult;
  readonly events: readonly (RunEvent | PingEvent)[];
  /** "reach l1", "wing l1", "end l1", as the mesh saw them */
  readonly steps: readonly string[];
  readonly mesh: MemoryMesh;
  readonly folder: string;
}

/** `policy.ts` and what lies beside it, run over an in-memory mesh whose leaves follow a script. */
export async function runScripted({ files, leaf = () => OK, mesh, options }: Scripted): Promise<ScriptedRun> {
  const folder = await tempFolder(files);
  const steps: string[] = [];
  const events: RunEvent[] = [];
  const memory = new MemoryMesh({ wing: scripted(leaf), onStep: (step) => steps.push(step), ...mesh });
  const result = await runPolicy(
    { policy: folder, typeCheck: false, mop: await testPackage(), ...options },
    memory,
    (event) => events.push(event),
  );
  return { result, events, steps, mesh: memory, folder };
}

/** Hosts l1, l2, l3 of the group web behind b1 and b2. */
export const INVENTORY = `
[groups.web.hosts]
l1 = "color=blue"
l2 = ""
l3 = ""
[groups.web.vars]
mop_via = "b2"
[hosts.b2.vars]
mop_via = "b1"
[hosts.b1.vars]
mop_host = "192.0.2.1"
`;

/** A policy with the roles `first` and `second`, `entries` being what stands in `roles`. */
export const twoRoles = (entries: string, head = ""): string => `
import { definePolicy, defineRole } from "mop";
${head}
const first = defineRole({ name: "first", async main({ echo }) { await echo("1"); } });
const second = defineRole({ name: "second", async main({ echo }) { await echo("2"); } });
export default definePolicy({ roles: [${entries}] });
`;
