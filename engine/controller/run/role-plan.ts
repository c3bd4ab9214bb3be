import type { BlobSource } from "../../../relay/mesh/types.js";
import type { Value } from "../../../transport/types.js";
import { encodeValue } from "../../../transport/wire/value.js";
import { GATHERED } from "../../vocabulary/facts.js";
import type { RoleEntry } from "../../vocabulary/language.js";
import type { OfferedFile, RolePlan, SecretVars } from "../../vocabulary/order.js";
import { OPTION_PARTS, partOf } from "../../vocabulary/parts.js";
import { type FileReferences, fileReferences } from "../files/file-references.js";
import { offeredPath, type PolicyFolder } from "../files/folder.js";
import { offeredFiles } from "../files/offered-files.js";
import type { LoadedPolicy } from "../policy/load-policy.js";
import { mapPosition } from "../policy/source-positions.js";
import { PolicyError, placeText } from "../policy-error.js";
import { apart, secretsIn } from "../secrets/secret-vars.js";
import { memoryBlob } from "../ship/blobs.js";
import { type ShippedRole, shipRole } from "../ship/ship-role.js";
import { type PlainVars, planVariables, policyLayers, withoutNames } from "../variables.js";
import type { RunOptions } from "./options.js";
import type { WingFiles } from "./wing-files.js";

/** One role's entry, ready to go: what all its hosts share. */
export interface PreparedRole {
  readonly entry: RoleEntry;
  readonly name: string;
  /** Hash of the encoded RolePlan */
  readonly plan: string;
  readonly vars: PlainVars;
  /** What of these and of --extra-vars is secret: not in the plan, but in each host's order, with the secrets' texts */
  readonly secretVars: SecretVars;
  readonly secrets: readonly string[];
  /** It may restart hosts: what its resources gave comes here meanwhile, with what it made a secret on the host */
  readonly restarts: boolean;
  /** All that its hosts may ask for */
  readonly blobs: readonly BlobSource[];
  /** What each of them needs in any case */
  readonly needed: readonly string[];
  /** Source map (JSON) of the code that leaves run */
  readonly map: string;
  /** Paths of the files that its hosts may ask for, relative to the policy's folder */
  readonly files: readonly string[];
  /** Folders below the policy's that its hosts' files may be fetched to */
  readonly fetchTo: readonly string[];
  readonly warnings: readonly string[];
}

export interface PlanParts {
  readonly loaded: LoadedPolicy;
  readonly folder: PolicyFolder;
  readonly wing: WingFiles;
  readonly mopNames: readonly string[];
  readonly options: RunOptions;
}

/** Bundles a role, finds its files and writes its plan. undefined: none of its tags was asked for. */
export async function prepareRole(entry: RoleEntry, parts: PlanParts): Promise<PreparedRole | undefined> {
  const { loaded, folder, wing, options } = parts;
  const { name } = entry.role;
  const shipped = await shipRole(loaded, entry.role, parts.mopNames);
  const references = fileReferences(shipped.code);
  if (!wantedByTags(entry, references, options)) return undefined;
  await checkRequired(references, shipped, parts);
  const fetchTo = fetchFolders(references, shipped, parts);
  const layers = policyLayers(loaded.policy, entry);
  const vars = planVariables(layers);
  const extraVars = withoutNames(options.extraVars ?? {});
  const [own, extra] = [apart(vars), apart(extraVars)];
  const named = [...texts(layers.policy), ...texts(layers.entry)];
  const files = await offeredFiles(folder, references, entry.role.files ?? [], named).catch(
    (error: unknown) => {
      if (error instanceof PolicyError && !error.place)
        throw new PolicyError(`role ${name}: ${error.message}`);
      throw error;
    },
  );
  const likely = [...likelyParts(references, files.templates.length > 0)].filter((part) =>
    wing.parts.has(part),
  );
  const plan = memoryBlob(
    encodeValue(
      planValue({
        role: name,
        module: shipped.module.hash,
        packages: hashes(shipped.packages),
        parts: hashes(wing.parts),
        likely,
        files: files.files,
        trees: files.trees,
        fetchTo,
        vars: own.open,
        extraVars: extra.open,
        check: options.check ?? false,
        diff: options.diff ?? false,
        tags: options.tags && options.tags.length > 0 ? options.tags : null,
        skipTags: options.skipTags ?? [],
        roleTags: entry.tags ?? [],
      }),
    ),
  );
  const parcels = [wing.entry, plan, shipped.module, ...shipped.packages.values()];
  const wingParts = [...wing.parts.values()];
  return {
    entry,
    name,
    plan: plan.hash,
    vars,
    secretVars: { vars: own.secret, extraVars: extra.secret },
    secrets: secretsIn({ ...own.secret, ...extra.secret }),
    restarts: references.uses.has("reboot"),
    blobs: unique([...parcels, ...wingParts, ...files.blobs]),
    needed: [
      ...parcels.map((blob) => blob.hash),
      ...likely.map((part) => wing.parts.get(part)!.hash),
      ...files.templates,
    ],
    map: shipped.map,
    files: Object.keys(files.files),
    fetchTo,
    warnings: [...shipped.warnings, ...exposed(name, shipped, parts)],
  };
}

/** Parts of the wing that the role's text seems to use; what it uses in other ways is fetched when it runs. */
function likelyParts(references: FileReferences, hasTemplates: boolean): Set<string> {
  const parts = new Set<string>();
  if (hasTemplates || references.renders) parts.add("templates");
  if (GATHERED.some((name) => references.uses.has(name))) parts.add("facts");
  for (const name of references.uses) {
    const part = partOf(name) ?? OPTION_PARTS[name];
    if (part !== undefined) parts.add(part);
  }
  return parts;
}

/** A role whose resources have no tags of their own runs as a whole or not at all: no host need hear of it. */
function wantedByTags(entry: RoleEntry, references: FileReferences, options: RunOptions): boolean {
  const own = entry.tags ?? [];
  if (own.some((tag) => options.skipTags?.includes(tag))) return false;
  if (!options.tags || options.tags.length === 0 || references.hasTags) return true;
  return own.some((tag) => options.tags?.includes(tag));
}

/** `source` and `template` that are spelled out must be there before anything is contacted. */
async function checkRequired(
  references: FileReferences,
  shipped: ShippedRole,
  parts: PlanParts,
): Promise<void> {
  const { folder } = parts;
  for (const { option, kind, path, ...at } of references.required) {
    if (path.startsWith("/") || (await (kind === "folder" ? folder.tree(path) : folder.find(path)))) continue;
    const missing = kind === "folder" ? "is no folder" : "does not exist";
    throw new PolicyError(
      `the ${option} "${path}" ${missing} below the policy's folder`,
      placeIn(shipped, parts, at),
    );
  }
}

/** Code is kept by every relay on the way: a secret that is written there is one no more. */
function exposed(role: string, shipped: ShippedRole, parts: PlanParts): string[] {
  return secretsIn(shipped.code).map((secret) => {
    const before = shipped.code.slice(0, shipped.code.indexOf(secret)).split("\n");
    const at = placeIn(shipped, parts, { line: before.length, column: before.at(-1)!.length + 1 });
    return `role ${role}: a secret stands in its code (${placeText(at)}), which the relays on the way can read; give it as a variable from outside: only variables are sealed`;
  });
}

/** Where files of hosts go; what is fetched stays below the policy's folder. */
function fetchFolders(references: FileReferences, shipped: ShippedRole, parts: PlanParts): string[] {
  for (const { path, ...at } of references.fetchTo)
    if (offeredPath(path) !== path)
      throw new PolicyError(
        `files can't be fetched to "${path}"; name a folder below the policy's, such as "fetched"`,
        placeIn(shipped, parts, at),
      );
  return [...new Set(references.fetchTo.map(({ path }) => path))];
}

const placeIn = (shipped: ShippedRole, parts: PlanParts, at: { line: number; column: number }) =>
  mapPosition(shipped.map, at.line, at.column) ?? { file: parts.loaded.file };

function planValue({ files, trees = [], fetchTo = [], ...plan }: RolePlan): Value {
  return {
    ...plan,
    files: Object.fromEntries(Object.entries(files).map(([name, file]) => [name, fileValue(file)])),
    trees,
    fetchTo,
  };
}

const fileValue = ({ size, hash, chunks, executable }: OfferedFile): Value => ({
  size,
  hash,
  chunks,
  executable,
});

const hashes = (blobs: ReadonlyMap<string, BlobSource>): Record<string, string> =>
  Object.fromEntries([...blobs].map(([name, blob]) => [name, blob.hash]));

const unique = (blobs: readonly BlobSource[]): BlobSource[] => [
  ...new Map(blobs.map((blob) => [blob.hash, blob])).values(),
];

/** All texts in a value: a variable may name a file. */
function texts(value: Value | PlainVars): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return [];
  return Object.values(value).flatMap((item) => (item === undefined ? [] : texts(item as Value)));
}
