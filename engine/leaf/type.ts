import type { Vars } from "../vocabulary/language.js";
import type { CommonOptions, Result } from "../vocabulary/resources.js";
import type {
  ResourceType as AnyResourceType,
  Plan,
  Provider,
  TypeContext as PublicContext,
} from "../vocabulary/types.js";
import type { Files } from "./files/files.js";
import type { OfferedFiles } from "./files/offered.js";
import type { PartLoader } from "./modules/part-loader.js";
import type { Children } from "./process/children.js";
import type { Reboots } from "./role/reboots.js";

export type { Plan, Provider } from "../vocabulary/types.js";

/** Renders a template: a file that was offered, or a text with a name for its errors. */
export interface Renderer {
  file(path: string, local: Vars): Promise<string>;
  text(text: string, local: Vars): Promise<string>;
}

/** What the controller keeps of this host's files, in folders that the role's text names. */
export interface FetchedFiles {
  /** SHA-256 of what it has for a path; undefined: nothing. Throws a Refusal for another folder. */
  held(folder: string, path: string): string | undefined;
  /** From now on the controller has this for a path, or will have under --check */
  remember(folder: string, path: string, hash: string): void;
  /** Where a path of this host is there, relative to the policy's folder */
  place(folder: string, path: string): string;
  /** Sends a file's content up, which it must give as it was planned. */
  send(folder: string, path: string, planned: Planned, content: AsyncIterable<Uint8Array>): Promise<void>;
}

interface Planned {
  readonly size: number;
  readonly hash: string;
}

/** What the resources of a role share. */
export interface RoleTools extends Pick<PublicContext, "check" | "diff" | "facts" | "signal" | "output"> {
  /** The host's file system; under --check with what was planned so far laid over it */
  readonly files: Files;
  readonly offered: OfferedFiles;
  readonly children: Pick<Children, "run">;
  readonly renderer: Renderer;
  /** Loads what only some resources need */
  readonly parts: Pick<PartLoader, "load">;
  readonly fetched: FetchedFiles;
  readonly reboots: Pick<Reboots, "resumed" | "request">;
}

/** What a built-in type works with: the public context, and the wing's own means. */
export interface TypeContext extends PublicContext, RoleTools {}

/** The plan of a resource that is as it shall be. */
export const NOTHING: Plan = { actions: [], apply: async () => [] };

/** A built-in resource type: options and how to plan. One place per type, in types/. */
export type ResourceType<
  O extends CommonOptions<R>,
  R extends Result = Result,
  P extends Provider | undefined = undefined,
> = AnyResourceType<O, R, P, TypeContext>;
