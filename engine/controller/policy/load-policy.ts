import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Policy } from "../../vocabulary/language.js";
import { messageOf, PolicyError } from "../policy-error.js";
import { bundlePolicy, type PolicyBundle, policyFile } from "./bundle-policy.js";
import { checkPolicy } from "./check-policy.js";
import { type MopPackage, mopPackage } from "./mop-package.js";
import { type SourcePositions, sourcePositions } from "./source-positions.js";

export interface LoadedPolicy {
  /** Absolute path */
  readonly file: string;
  /** What relative paths in it are relative to */
  readonly folder: string;
  readonly policy: Policy;
  /** Exports of each of the policy's own modules, by absolute path, the policy's first */
  readonly modules: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** The user's own files, absolute */
  readonly sources: readonly string[];
  readonly positions: SourcePositions;
}

/**
 * Loads a TypeScript or JavaScript policy, wherever it lies. Throws PolicyError, with file, line and column where they
 * are known.
 */
export async function loadPolicy(
  given: string,
  options: { cwd?: string; mop?: MopPackage } = {},
): Promise<LoadedPolicy> {
  const file = await policyFile(given, options.cwd ?? process.cwd());
  const folder = path.dirname(file);
  const bundle = await bundlePolicy(file, (options.mop ?? mopPackage()).entry);
  // A name of its own, so that frames in stacks can be told from the user's files.
  const name = `policy-${randomBytes(6).toString("hex")}.mjs`;
  const positions = sourcePositions(bundle.map, bundle.sources, name);
  const namespace = await importBundle(bundle, name, file, positions);
  const modules = namespace.modules as LoadedPolicy["modules"];
  const policy = checkPolicy((namespace.policy as { default?: unknown }).default, file);
  return { file, folder, policy, modules, sources: bundle.sources, positions };
}

async function importBundle(
  bundle: PolicyBundle,
  name: string,
  file: string,
  positions: SourcePositions,
): Promise<Record<string, unknown>> {
  const place = await mkdtemp(path.join(os.tmpdir(), "mop-policy-"));
  // The policy may end the program itself
  const remove = () => rmSync(place, { recursive: true, force: true });
  process.on("exit", remove);
  try {
    const module = path.join(place, name);
    const map = Buffer.from(bundle.map).toString("base64");
    const code = `${bundle.code}\n//# sourceMappingURL=data:application/json;base64,${map}\n`;
    await writeFile(module, code, { mode: 0o600 });
    return (await import(pathToFileURL(module).href)) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof PolicyError) throw error;
    const where = positions.ofError(error) ?? { file };
    throw new PolicyError(`the policy failed while it was loaded: ${messageOf(error)}`, where, {
      cause: error,
    });
  } finally {
    process.off("exit", remove);
    await rm(place, { recursive: true, force: true });
  }
}
