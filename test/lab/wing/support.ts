import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll } from "vitest";
import type { MeshOptions } from "../../../relay/mesh/types.js";
import type { Value } from "../../../transport/types.js";
import { decodeValue } from "../../../transport/wire/value.js";
import { buildCore } from "../../support/core-bundle.js";
import { type LocalMesh, local, offer, openMesh } from "./mesh.js";

interface RunOptions {
  readonly mesh?: Partial<MeshOptions>;
  readonly order?: Uint8Array;
  readonly onEvent?: (event: Uint8Array) => void | Promise<void>;
  readonly signal?: AbortSignal;
  readonly memoryMb?: number;
}

/** A wing's source from the body of its `start(host)`. */
export const source = (body: string): Buffer => Buffer.from(`exports.start = async (host) => {${body}\n};`);

/** Nodes on this machine and wings for them, closed after each test. */
export function wingLab() {
  let core: Uint8Array;
  let folder = "";
  const meshes: LocalMesh[] = [];
  const controllers: ChildProcess[] = [];
  beforeAll(async () => {
    core = await buildCore();
    folder = mkdtempSync(path.join(os.tmpdir(), "mop-wing-"));
  });
  afterEach(async () => {
    for (const mesh of meshes.splice(0)) await mesh.close();
    for (const controller of controllers.splice(0)) controller.kill("SIGKILL");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function mesh(options: Partial<MeshOptions> = {}): LocalMesh {
    const opened = openMesh(core, options);
    meshes.push(opened);
    return opened;
  }

  return {
    mesh,
    /** A wing that runs on a node of its own. */
    run(body: string, { mesh: meshOptions, ...options }: RunOptions = {}) {
      const own = mesh(meshOptions);
      const node = own.reach([local]);
      const events: Value[] = [];
      const result = node.wing({
        entry: offer(own, node, source(body)),
        order: Buffer.alloc(0),
        onEvent: (event) => void events.push(decodeValue(event)),
        ...options,
      });
      result.catch(() => {});
      return { mesh: own, node, events, result };
    },
    /** The same with a controller that is a process of its own; resolves with the pids that its first event holds. */
    async controller(body: string) {
      const files = ["core", "wing.js", "dist/mesh/controller.mjs"].map((name) => path.join(folder, name));
      const [coreFile, wingFile, program] = files as [string, string, string];
      writeFileSync(coreFile, core);
      writeFileSync(wingFile, source(body));
      // Where the compiled mesh looks for what it sends
      cpSync(new URL("../../../dist/bundles", import.meta.url), path.join(folder, "bundles"), {
        recursive: true,
      });
      await build({
        entryPoints: [fileURLToPath(new URL("./controller.ts", import.meta.url))],
        outfile: program,
        bundle: true,
        platform: "node",
        format: "esm",
        target: "node20",
        banner: {
          js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
        },
      });
      const controller = spawn(process.execPath, [program, coreFile, wingFile], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      controllers.push(controller);
      const line = await new Promise<string>((resolve, reject) => {
        controller.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString()));
        controller.once("exit", (status) => reject(new Error(`the controller ended with status ${status}`)));
      });
      const { pids, node } = JSON.parse(line) as { pids: number[]; node: number };
      return { process: controller, pids, node };
    },
  };
}
