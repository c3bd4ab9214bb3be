import type { Vars } from "../language.js";
import type { CommonOptions, OwnershipOptions, Result } from "./common.js";

export interface FileResult extends Result {
  /** Where the old content is kept; with the option `backup`, when there was one that was replaced or removed */
  readonly backup?: string;
}

export interface FileOptions extends CommonOptions<FileResult>, OwnershipOptions {
  /** The content itself; one of content, source, template, url, absent, or none to manage attributes only */
  content?: string | Uint8Array;
  /** A file beside the policy */
  source?: string;
  /** A Jinja template beside the policy */
  template?: string;
  /**
   * An http or https address that the host itself downloads it from. Without `checksum` the file gets the server's
   * time of last change, by which the next run sees, without a download, that nothing is new.
   */
  url?: string;
  /** SHA-256 of what the url gives, 64 hex digits; with it nothing is downloaded that is there already */
  checksum?: string;
  /** Local scope of the template: over the role's variables */
  vars?: Vars;
  /** There is no such file */
  absent?: boolean;
  /** false: an existing file's content is left alone. Default true */
  overwrite?: boolean;
  /** Keeps the old file beside the new one, as NAME.TIME~ with the time in UTC; the result names it. Default false */
  backup?: boolean;
  /**
   * A command for /bin/sh that looks at the new content, a temporary file in the same folder that %s stands for, before
   * it is put in place. When it fails the old file stays, and what it said is told. Not run under --check.
   */
  validate?: string;
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

export interface CopyTreeOptions extends CommonOptions {
  /** A folder beside the policy; all files in it are copied, folders without files are not */
  source: string;
  /** Removes whatever stands in the folder on the host and is not in the source. Default false */
  purge?: boolean;
  /** Owner of all that is copied, name or id. Default: as it is, for what is new the user that the leaf runs as */
  owner?: string | number;
  /** Group of all that is copied, name or id */
  group?: string | number;
  /** Permission bits of files. Default: as they are; whether a file is executable is as it is in the source */
  mode?: number | string;
  /** Permission bits of folders. Default: as they are */
  directoryMode?: number | string;
}

export interface ArchiveOptions extends CommonOptions {
  /** The archive: a file beside the policy; one of source, file and url */
  source?: string;
  /** The archive: a file on the host */
  file?: string;
  /** The archive: an http or https address that the host itself downloads it from; needs `checksum` */
  url?: string;
  /** SHA-256 of the archive, 64 hex digits */
  checksum?: string;
  /**
   * A path that the archive makes: where something stands there, it is unpacked. Default: a file
   * `.mop-archive-...` in the folder remembers the hash of what was unpacked
   */
  creates?: string;
  /** Folders that are taken off the front of each path in the archive. Default 0 */
  strip?: number;
  /** Owner of all that is unpacked, name or id. Default: the user that the leaf runs as */
  owner?: string | number;
  /** Group of all that is unpacked, name or id */
  group?: string | number;
}

export interface EditOptions extends CommonOptions<FileResult>, OwnershipOptions {
  /** Makes the file where there is none. Default false: that is a failure */
  create?: boolean;
  /** As in `file`: keeps the old file beside the new one */
  backup?: boolean;
  /** As in `file`: a command that looks at the new content, %s, before it is put in place */
  validate?: string;
}

export interface LineInFileOptions extends EditOptions {
  /** The line, without its end. With `absent` it is removed where it stands */
  line?: string;
  /** The last line that fits is replaced by `line`; with `absent` all that fit are removed */
  regexp?: string | RegExp;
  /** A new line comes behind the last one that fits. Default: at the end */
  after?: string | RegExp;
  /** A new line comes before the first one that fits; "start": at the beginning */
  before?: string | RegExp;
  /** There is no such line */
  absent?: boolean;
}

export interface BlockInFileOptions extends EditOptions {
  /** The lines between the two marks; required unless absent */
  block?: string;
  /** The line that marks beginning and end; {mark} stands for BEGIN and END. Default "# {mark} managed by mop" */
  marker?: string;
  /** A new block comes behind the last line that fits. Default: at the end */
  after?: string | RegExp;
  /** A new block comes before the first line that fits; "start": at the beginning */
  before?: string | RegExp;
  /** There is no such block, nor its marks */
  absent?: boolean;
}

export interface FetchOptions extends CommonOptions<FetchResult> {
  /**
   * Folder below the policy's, as a literal text; the file is written to FOLDER/HOST/PATH there. Default "fetched"
   */
  to?: string;
  /** Most bytes that the file may have. Default 10 MiB; 256 MiB are the most */
  maxSize?: number;
}

export interface FetchResult extends Result {
  /** Where it is on the controller, relative to the policy's folder: "fetched/l1/etc/motd" */
  readonly to: string;
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
   * await file("/etc/sudoers.d/deploy", {
   *   content: "deploy ALL=(ALL) NOPASSWD: ALL\n", mode: 0o440, validate: "visudo -cf %s", backup: true,
   * });
   */
  file(path: string, options?: FileOptions): Promise<FileResult>;
  /**
   * A folder, its owner, group and mode, or that there is none. Folders above it that are missing are made. Links below
   * it are not followed.
   *
   * @example
   * await directory("/srv/shop", { owner: "shop", mode: 0o750, recursive: true });
   * await directory("/srv/shop/cache", { absent: true, recursive: true });
   */
  directory(path: string, options?: DirectoryOptions): Promise<Result>;
  /**
   * A symbolic link, or that there is none. Another link is replaced in one step, a file only with `force`, a folder
   * never.
   *
   * @example
   * await link("/srv/shop/current", { to: "releases/42" });
   * await link("/srv/shop/previous", { absent: true });
   */
  link(path: string, options: LinkOptions): Promise<Result>;
  /**
   * A folder of the controller's, copied to the host: only files that differ cross the link.
   * @example
   * await copyTree("/srv/www", { source: "site", purge: true, owner: "www-data" });
   */
  copyTree(path: string, options: CopyTreeOptions): Promise<Result>;
  /**
   * Unpacks an archive (tar, tar.gz, tar.xz, zip) into a folder. Nothing is ever written outside the folder; tar.xz
   * needs the program xz on the host.
   * @example
   * await archive("/opt/app", { source: "app-1.2.tar.gz", strip: 1 });
   */
  archive(path: string, options: ArchiveOptions): Promise<Result>;
  /**
   * One line of a text file.
   * @example
   * await lineInFile("/etc/ssh/sshd_config", {
   *   regexp: "^#?PermitRootLogin ", line: "PermitRootLogin no", validate: "sshd -t -f %s",
   * });
   */
  lineInFile(path: string, options: LineInFileOptions): Promise<FileResult>;
  /**
   * Several lines of a text file, between two marks.
   * @example
   * await blockInFile("/etc/hosts", { block: "10.0.0.11 l1\n10.0.0.12 l2", marker: "# {mark} the shop" });
   */
  blockInFile(path: string, options: BlockInFileOptions): Promise<FileResult>;
  /**
   * Brings a file of the host to the controller, below a folder of the policy's and the host's name.
   *
   * What a host sends is written below the named folder and that host's name only, whatever the host says; 1 GiB a role
   * and host is the most. Under --check nothing is brought.
   *
   * @example
   * await fetch("/etc/machine-id");
   */
  fetch(path: string, options?: FetchOptions): Promise<FetchResult>;
}
