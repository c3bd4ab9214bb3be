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
  absent?: boolean;
  /** false: an existing file's content is left alone. Default true */
  overwrite?: boolean;
}

export interface DirectoryOptions extends CommonOptions, OwnershipOptions {
  absent?: boolean;
  /** Owner, group and mode of everything below too; with `absent`, required to remove a folder that is not empty */
  recursive?: boolean;
}

export interface LinkOptions extends CommonOptions {
  /** What the symbolic link points to; required unless absent */
  to?: string;
  absent?: boolean;
  /** Replace a file that stands there. Default false */
  force?: boolean;
}

export interface FileFunctions {
  file(path: string, options?: FileOptions): Promise<Result>;
  directory(path: string, options?: DirectoryOptions): Promise<Result>;
  link(path: string, options: LinkOptions): Promise<Result>;
}
