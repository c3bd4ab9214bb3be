import { createHash } from "node:crypto";
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  symlink,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import type { ResourceError } from "../../../../engine/leaf/errors.js";
import { fetchedFiles } from "../../../../engine/leaf/files/fetched.js";
import { Files } from "../../../../engine/leaf/files/files.js";
import { OfferedFiles } from "../../../../engine/leaf/files/offered.js";
import * as accounts from "../../../../engine/leaf/parts/accounts.js";
import * as commands from "../../../../engine/leaf/parts/commands.js";
import * as files from "../../../../engine/leaf/parts/files.js";
import * as packages from "../../../../engine/leaf/parts/packages.js";
import * as services from "../../../../engine/leaf/parts/services.js";
import * as system from "../../../../engine/leaf/parts/system.js";
import { Children } from "../../../../engine/leaf/process/children.js";
import { type ResourceName, type ResourceReport, runResource } from "../../../../engine/leaf/resource.js";
import { Reboots } from "../../../../engine/leaf/role/reboots.js";
import type { RoleTools } from "../../../../engine/leaf/type.js";
import { TYPES } from "../../../../engine/leaf/types/table.js";
import type { Facts } from "../../../../engine/vocabulary/facts.js";
import type { Result } from "../../../../engine/vocabulary/resources.js";

/** A folder's content: path to "file 0644 content", "dir 0755" or "link target". */
export type Tree = Record<string, string>;

/** Puts a tree in place; folders on the way have 0755. "user:" in front of a line gives it that owner. */
export async function build(folder: string, tree: Tree): Promise<void> {
  const late: (() => Promise<void>)[] = [];
  for (const [name, line] of Object.entries(tree)) {
    const at = path.join(folder, name);
    const [, owner, kind, rest] = /^(?:(\d+):)?(\w+) (.*)$/s.exec(line)!;
    await mkdir(path.dirname(at), { recursive: true });
    if (kind === "link") await symlink(rest!, at);
    else if (kind === "dir") await mkdir(at, { recursive: true });
    else await writeFile(at, rest!.slice(5));
    if (owner) await chown(at, Number(owner), Number(owner));
    // Last of all, so that a folder may be one that can't be written in.
    if (kind !== "link") late.push(() => chmod(at, Number.parseInt(rest!.slice(0, 4), 8)));
  }
  for (const step of late.reverse()) await step();
}

/** What stands in a folder now; owners only where they differ from the folder's. */
export async function look(folder: string): Promise<Tree> {
  const tree: Tree = {};
  const home = await lstat(folder);
  const walk = async (at: string) => {
    for (const name of (await readdir(at)).sort()) {
      const child = path.join(at, name);
      const stats = await lstat(child);
      const owner = stats.uid === home.uid ? "" : `${stats.uid}:`;
      const mode = (stats.mode & 0o7777).toString(8).padStart(4, "0");
      const key = path.relative(folder, child);
      if (stats.isSymbolicLink()) tree[key] = `${owner}link ${await readlink(child)}`;
      else if (stats.isDirectory()) tree[key] = `${owner}dir ${mode}`;
      else tree[key] = `${owner}file ${mode} ${await readFile(child, "utf8").catch(() => "?")}`;
      if (stats.isDirectory()) await walk(child).catch(() => undefined);
    }
  };
  await walk(folder);
  return tree;
}

const ALL_TYPES = {
  ...TYPES,
  ...files.types,
  ...commands.types,
  ...accounts.types,
  ...packages.types,
  ...services.types,
  ...system.types,
};
export type TypeName = keyof typeof ALL_TYPES;

export interface Ran {
  readonly report: ResourceReport;
  readonly result: Result;
  readonly thrown: boolean;
}

/** A run of resources one after another, as one role has it. */
export class Run {
  readonly context: RoleTools;
  readonly output: string[] = [];
  readonly children = new Children({ childStarted: () => undefined, childEnded: () => undefined });

  constructor(options: Partial<RoleTools> = {}) {
    this.context = {
      check: false,
      diff: false,
      facts: {} as Facts,
      files: new Files(),
      offered: offering({}),
      children: this.children,
      renderer: {
        file: async (name, local) => `${name}:${JSON.stringify(local)}`,
        text: async (text) => text.replace("{{", "<").replace("}}", ">"),
      },
      parts: { load: async () => ({ ...files }) },
      reboots: new Reboots(),
      fetched: fetchedFiles({}, { host: { name: "l1", groups: [] } }, { fetch: async () => undefined }),
      signal: new AbortController().signal,
      output: async (stream, text) => {
        this.output.push(`${stream}:${text}`);
      },
      ...options,
    };
  }

  async do(type: TypeName, name: ResourceName, options: object = {}): Promise<Ran> {
    const reports: ResourceReport[] = [];
    const extras = { report: (report: ResourceReport) => void reports.push(report) };
    // The table's types differ in their options, which runResource checks.
    const run = runResource as unknown as (...args: unknown[]) => Promise<Result>;
    let thrown: ResourceError | undefined;
    const result = await run(ALL_TYPES[type], this.context, name, options, extras).catch(
      (error: ResourceError) => {
        if (error.name !== "ResourceError") throw error;
        thrown = error;
        return error.result;
      },
    );
    if (reports.length !== 1) throw new Error(`${reports.length} reports instead of one`);
    return { report: { ...reports[0]!, ms: 0 }, result, thrown: thrown !== undefined };
  }
}

/** Files that came along with a role. */
export function offering(
  files: Readonly<Record<string, string | Uint8Array>>,
  trees: readonly string[] = [],
): OfferedFiles {
  const hash = (text: string | Uint8Array) => createHash("sha256").update(text).digest("hex");
  const blobs = new Map(Object.values(files).map((text) => [hash(text), Buffer.from(text as string)]));
  return new OfferedFiles(
    {
      async blob(wanted) {
        const found = blobs.get(wanted);
        if (!found) throw new Error("no such blob");
        return found;
      },
      prefetch: async () => undefined,
    },
    Object.fromEntries(
      Object.entries(files).map(([name, text]) => [
        name,
        { size: Buffer.byteLength(text), hash: hash(text), chunks: [], executable: name.endsWith(".sh") },
      ]),
    ),
    trees,
  );
}
