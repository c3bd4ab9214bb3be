import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import path from "node:path";
import vm from "node:vm";
import { build } from "esbuild";
import type { LeafEvent } from "../../engine/vocabulary/events.js";
import type {
  LeafOrder,
  LeafResult,
  OfferedFile,
  RoleOrder,
  RolePlan,
} from "../../engine/vocabulary/order.js";
import type { WingHost, WingModule } from "../../relay/wing.js";
import type { Value } from "../../transport/types.js";
import { decodeValue, encodeValue } from "../../transport/wire/value.js";

const root = path.join(import.meta.dirname, "../..");

/** A source of the wing as a leaf gets it. */
export async function bundleForTest(source: string): Promise<string> {
  const result = await build({
    entryPoints: [path.join(root, source)],
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    target: "node16",
    minify: true,
    legalComments: "none",
    charset: "utf8",
    logLevel: "warning",
  });
  return result.outputFiles[0]!.text;
}

export function loadWing(code: string): WingModule {
  const module = { exports: {} as WingModule };
  const run = vm.runInThisContext(`(function(module,exports,require){${code}\n})`, {
    filename: "mop-wing.js",
  });
  run(module, module.exports, createRequire(import.meta.url));
  return module.exports;
}

/** The relay's side of a wing, in memory. */
export class FakeHost {
  /** The wing's own text, where it starts processes that run it too */
  source: Uint8Array = new Uint8Array();
  readonly blobs = new Map<string, Uint8Array>();
  readonly asked: string[] = [];
  readonly prefetched: string[][] = [];
  /** What the last run left to the next */
  kept: unknown;
  readonly #stop = new AbortController();

  add(content: string | Uint8Array): string {
    const bytes = Buffer.from(content as string);
    const hash = createHash("sha256").update(bytes).digest("hex");
    this.blobs.set(hash, bytes);
    return hash;
  }

  file(content: string): OfferedFile {
    return { size: Buffer.byteLength(content), hash: this.add(content), chunks: [], executable: false };
  }

  cancel(): void {
    this.#stop.abort(new Error("The run was cancelled"));
  }

  /** Runs an order to its last word. */
  run(wing: WingModule, order: LeafOrder | Value, onEvent: (event: LeafEvent) => unknown = () => undefined) {
    const events: LeafEvent[] = [];
    const children: number[] = [];
    return new Promise<{ events: LeafEvent[]; result: LeafResult; children: number[] }>((resolve) => {
      const host: WingHost = {
        source: this.source,
        order: encodeValue(order as unknown as Value),
        kept: this.kept,
        keep: (value) => {
          this.kept = structuredClone(value);
        },
        emit: async (bytes) => {
          const event = decodeValue(bytes) as unknown as LeafEvent;
          events.push(event);
          await onEvent(event);
        },
        blob: async (hash) => {
          this.asked.push(hash);
          const found = this.blobs.get(hash);
          if (!found) throw Object.assign(new Error("it was not offered"), { code: "BLOB_NOT_OFFERED" });
          return found;
        },
        prefetch: async (hashes) => void this.prefetched.push([...hashes]),
        signal: this.#stop.signal,
        childStarted: (pid) => void children.push(pid),
        childEnded: () => undefined,
        done: (bytes) => resolve({ events, result: decodeValue(bytes) as unknown as LeafResult, children }),
      };
      wing.start(host);
    });
  }

  /** Runs a role whose `main` is this text; `changes` are merged over a plain plan. */
  role(
    wing: WingModule,
    main: string,
    { secrets = [], ...changes }: Partial<RolePlan> & Partial<Pick<RoleOrder, "secrets">> = {},
    vars: Record<string, Value> = {},
    onEvent?: (event: LeafEvent) => unknown,
    more: Partial<Pick<RoleOrder, "resume" | "secrets" | "secretVars" | "log">> = {},
  ) {
    const plan: RolePlan = {
      role: "web",
      module: this.add(main),
      packages: {},
      parts: {},
      likely: [],
      files: {},
      vars: {},
      extraVars: {},
      check: false,
      diff: false,
      tags: null,
      skipTags: [],
      roleTags: [],
      ...changes,
    };
    const hash = this.add(encodeValue(plan as unknown as Value));
    const host = { name: "l1", groups: ["web"] };
    const all = [...secrets, ...(more.secrets ?? [])];
    return this.run(
      wing,
      { kind: "role", plan: hash, host, vars, log: null, ...more, secrets: all },
      onEvent,
    );
  }
}

/** A role module as the controller ships it. */
export const roleText = (body: string): string =>
  `exports.role = { name: "web", async main({ vars, facts, host, check, file, directory, link, shell, reboot, echo }) {\n${body}\n} };\n`;
