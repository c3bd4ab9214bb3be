import type { Vars } from "../language.js";
import type { CommonOptions, OwnershipOptions, Result } from "./common.js";

export interface FileOptions extends CommonOptions, OwnershipOptions {
  /** The content itself; exactly one of content, source, template, absent, or none to manage attributes only */
  content?: string | Uint8Array;
  /** A file beside the policy */
  source?: string;
  /** A Jinja template beside the policy */
  template?: string;
  /** Local scope of the template: over the role's variables */
  vars?: Vars;
  /** There is no such file */
  absent?: boolean;
  /** false: an existing file's content is left alone. Default true */
  overwrite?: boolean;
}

export interface DirectoryOptions extends CommonOptions, OwnershipOptions {
  /** There is no such folder; one that is not empty needs `recursive` */
  absent?: boolean;
  /** Owner, group and mode of everything below too; with `absent`, required to remove a folder that is not empty */
  recursive?: boolean;
}

export interface LinkOptions extends CommonOptions {
  /** What the symbolic link points to; required unless absent */
  to?: string;
  /** There is no such link */
  absent?: boolean;
  /** Replace a file that stands there. Default false */
  force?: boolean;
}

export interface FileFunctions {
  /**
   * A file: its content, owner, group and mode, or that there is none. Readers see the old content or the new one,
   * whole, at any moment: it is written to a temporary file in the same folder, synced, and renamed.
   *
   * Owner, group and mode stay as they were unless told otherwise; a new file has what the kernel gives it (a `source`
   * that is executable stays so). A link is followed, and stays. Without a content the file must be there, and only its
   * attributes are managed. What somebody else changed meanwhile is not overwritten: the resource fails.
   *
   * @example
   * const conf = await file("/etc/shop.conf", { template: "templates/shop.conf.j2", vars: { port: 8080 }, mode: 0o640 });
   * if (conf.changed) await shell("systemctl restart shop");
   * @example
   * await file("/etc/motd", { content: "Welcome\n" });
   * await file("/usr/local/bin/backup", { source: "files/backup", owner: "root", mode: "0755" });
   * await file("/etc/shop.old", { absent: true });
   */
  file(path: string, options?: FileOptions): Promise<Result>;
  /**
   * A folder, its owner, group and mode, or that there is none. Folders above it that are missing are made. Links below
   * it are not followed.
   *
   * @example
   * await directory("/srv/shop", { owner: "root", mode: 0o755 });
   * await directory("/srv/shop/cache", { absent: true, recursive: true });
   */
  directory(path: string, options?: DirectoryOptions): Promise<Result>;
  /**
   * A symbolic link, or that there is none. Another link is replaced in one step, a file only with `force`, a folder
   * never.
   *
   * @example
   * await link("/srv/current", { to: "releases/42" });
   * await link("/srv/previous", { absent: true });
   */
  link(path: string, options: LinkOptions): Promise<Result>;
}
