import { createHash, type Hash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import path from "node:path";
import { MopError } from "../../../transport/errors.js";
import type { FetchEvent } from "../../vocabulary/events.js";
import { hostFolder } from "../../vocabulary/fetched.js";
import type { RoleOrder } from "../../vocabulary/order.js";

/** Bytes of one file, and of all that one role fetches from one host */
const MAX_FILE = 256 * 1024 * 1024;
const MAX_ALL = 1024 * 1024 * 1024;
/** Bytes of one name */
const MAX_NAME = 255;

export interface FetchParts {
  /** The policy's folder */
  readonly folder: string;
  readonly host: string;
  /** Folders that the role's text names, relative to the policy's */
  readonly fetchTo: readonly string[];
  readonly check: boolean;
}

interface Arriving {
  readonly event: FetchEvent;
  readonly temporary: string;
  readonly handle: FileHandle;
  readonly hash: Hash;
  filled: number;
}

/**
 * Files that one host sends back. A host says what a file of its own is called and no more: it lands below the folder
 * that the role's text names and this host's name, whatever the host says, and through no link.
 */
export class FetchedFiles {
  readonly #parts: FetchParts;
  #arriving: Arriving | undefined;
  #all = 0;

  constructor(parts: FetchParts) {
    this.#parts = parts;
  }

  /** What is here from earlier runs. */
  async held(): Promise<NonNullable<RoleOrder["held"]>> {
    const held: Record<string, Record<string, string>> = {};
    for (const to of this.#parts.fetchTo) {
      const files: Record<string, string> = {};
      const top = this.#top(to);
      for await (const name of filesBelow(top)) files[`/${name}`] = await hashOf(path.join(top, name));
      held[to] = files;
    }
    return held;
  }

  /** Takes one piece. Throws a MopError for what was not asked for; nothing of it is kept then. */
  async take(event: FetchEvent): Promise<void> {
    const { host, fetchTo, check } = this.#parts;
    if (check || !fetchTo.includes(event.folder))
      throw new MopError("NOT_ALLOWED", `${host} sent a file that nobody asked for`);
    const names = namesOf(event.path);
    if (!names) throw new MopError("PROTOCOL", `${host} sent a file with a name that no file has`);
    try {
      const arriving = await this.#continued(event);
      await arriving.handle.appendFile(event.bytes);
      arriving.hash.update(event.bytes);
      arriving.filled += event.bytes.length;
      if (arriving.filled === event.size) await this.#finish(arriving, names);
    } catch (error) {
      await this.close();
      if (error instanceof MopError) throw error;
      const at = path.join(event.folder, host, ...names);
      const reason = error instanceof Error ? error.message : String(error);
      throw new MopError("INTERNAL", `what ${host} sent can't be written to ${at}: ${reason}`, {
        cause: error,
      });
    }
  }

  /** Forgets what did not come to its end. */
  async close(): Promise<void> {
    const arriving = this.#arriving;
    this.#arriving = undefined;
    if (!arriving) return;
    await arriving.handle.close().catch(() => undefined);
    await unlink(arriving.temporary).catch(() => undefined);
  }

  #top(to: string): string {
    return path.join(this.#parts.folder, ...to.split("/"), hostFolder(this.#parts.host));
  }

  async #continued(event: FetchEvent): Promise<Arriving> {
    const { host } = this.#parts;
    // A file that is begun anew was not sent to its end before.
    if (event.offset === 0) await this.close();
    const current = this.#arriving;
    if (current) {
      const { folder, path: at, size, hash } = current.event;
      const same = event.folder === folder && event.path === at && event.size === size && event.hash === hash;
      if (same && event.offset === current.filled && current.filled + event.bytes.length <= size)
        return current;
    }
    if (current || event.offset !== 0 || event.bytes.length > event.size)
      throw new MopError("PROTOCOL", `${host} sent pieces of a file that don't fit together`);
    this.#all += event.size;
    if (event.size > MAX_FILE || this.#all > MAX_ALL)
      throw new MopError("TOO_MANY", `${host} sent more than the ${MAX_ALL} bytes that a role may fetch`);
    const top = this.#top(event.folder);
    await mkdir(top, { recursive: true });
    const temporary = path.join(top, `.mop-${randomBytes(9).toString("hex")}`);
    // What hosts keep may be secret.
    const handle = await open(temporary, "wx", 0o600);
    this.#arriving = { event, temporary, handle, hash: createHash("sha256"), filled: 0 };
    return this.#arriving;
  }

  async #finish({ event, temporary, handle, hash }: Arriving, names: readonly string[]): Promise<void> {
    if (hash.digest("hex") !== event.hash)
      throw new MopError("BLOB_CORRUPT", `what ${this.#parts.host} sent is not the file that it announced`);
    await handle.close();
    let folder = this.#top(event.folder);
    for (const name of names.slice(0, -1)) {
      folder = path.join(folder, name);
      await realFolder(folder);
    }
    await rename(temporary, path.join(folder, names[names.length - 1]!));
    this.#arriving = undefined;
  }
}

/** The parts of an absolute path; undefined where one of them leads elsewhere than it says. */
function namesOf(at: string): string[] | undefined {
  if (!at.startsWith("/")) return undefined;
  const names = at.slice(1).split("/");
  const good = names.every(
    (name) =>
      name !== "" &&
      name !== "." &&
      name !== ".." &&
      // What would steer the terminal of whoever lists the folder later.
      ![...name].some((c) => c < " " || c === "\x7f") &&
      !(path.sep !== "/" && name.includes(path.sep)) &&
      Buffer.byteLength(name) <= MAX_NAME,
  );
  return good ? names : undefined;
}

async function realFolder(at: string): Promise<void> {
  await mkdir(at).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  if (!(await lstat(at)).isDirectory()) throw new Error(`${at} is no folder`);
}

async function* filesBelow(top: string, within = ""): AsyncGenerator<string> {
  const entries = await readdir(path.join(top, within), { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    },
  );
  for (const entry of entries) {
    const name = within === "" ? entry.name : `${within}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(top, name);
    else if (entry.isFile() && !entry.name.startsWith(".mop-")) yield name;
  }
}

async function hashOf(at: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(at)) hash.update(piece as Buffer);
  return hash.digest("hex");
}
