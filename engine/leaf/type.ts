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
import type { Children } from "./process/children.js";

export type { Plan, Provider } from "../vocabulary/types.js";

/** Renders a template: a file that was offered, or a text with a name for its errors. */
export interface Renderer {
  file(path: string, local: Vars): Promise<string>;
  text(text: string, local: Vars): Promise<string>;
}

/** What the resources of a role share. */
export interface RoleTools extends Pick<PublicContext, "check" | "diff" | "facts" | "signal" | "output"> {
  /** The host's file system; under --check with what was planned so far laid over it */
  readonly files: Files;
  readonly offered: OfferedFiles;
  readonly children: Pick<Children, "run">;
  readonly renderer: Renderer;
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
