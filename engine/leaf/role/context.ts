import type { CommonOptions, Result, RoleContext } from "../../vocabulary/resources.js";
import type { Events } from "../events.js";
import { runResource, skippedResult } from "../resource.js";
import type { TypeContext } from "../type.js";
import { type AnyType, TYPES } from "../types/table.js";
import { callPosition } from "./position.js";
import type { Queue } from "./queue.js";
import { type TagLimits, wantedByTags } from "./tags.js";

export interface ContextParts {
  readonly role: string;
  readonly given: Pick<RoleContext, "vars" | "facts" | "host" | "check">;
  readonly types: TypeContext;
  readonly limits: TagLimits;
  readonly queue: Pick<Queue, "add">;
  readonly events: Pick<Events, "resource">;
  /** Where the role called the resource that an error came from */
  readonly positions: WeakMap<object, string>;
}

type ResourceFunction = (name: string, options?: CommonOptions) => Promise<Result>;

/** What `main` is given: its values, and a function for each resource type. */
export function roleContext(parts: ContextParts): RoleContext {
  const functions = Object.fromEntries(
    Object.entries(TYPES).map(([name, type]) => [name, resourceFunction(type, parts)]),
  );
  return { ...parts.given, ...functions } as unknown as RoleContext;
}

function resourceFunction(type: AnyType, parts: ContextParts): ResourceFunction {
  const { queue, positions } = parts;
  const call: ResourceFunction = (name, options) => {
    const at = callPosition(call);
    return queue.add(async () => {
      try {
        return await runOne(type, name, options, parts);
      } catch (error) {
        if (at !== undefined && typeof error === "object" && error !== null) positions.set(error, at);
        throw error;
      }
    });
  };
  return call;
}

async function runOne(
  type: AnyType,
  name: string,
  options: CommonOptions | undefined,
  { role, types, limits, events }: ContextParts,
): Promise<Result> {
  if (wantedByTags(tagsOf(options), limits))
    return runResource(type, types, name, options, {
      report: (report) => events.resource(role, report),
    }) as Promise<Result>;
  await events.resource(role, { type: type.name, name: String(name), status: "skipped", changes: [], ms: 0 });
  return skippedResult(type) as Result;
}

/** Whatever else stands there is an error that the resource tells, where it runs. */
function tagsOf(options: CommonOptions | undefined): readonly string[] {
  const tags: unknown = options?.tags;
  return Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === "string") : [];
}
