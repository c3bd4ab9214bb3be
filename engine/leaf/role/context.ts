import type { CommonOptions, Result, RoleContext } from "../../vocabulary/resources.js";
import type { Accounts } from "../account/accounts.js";
import { causeOf, ResourceError } from "../errors.js";
import type { Events } from "../events.js";
import { nameOf, type ResourceName, runResource, skippedResult } from "../resource.js";
import type { RoleTools } from "../type.js";
import type { OwnProviders, TypeSource } from "../types/sources.js";
import { callPosition } from "./position.js";
import type { Queue } from "./queue.js";
import type { Reboots } from "./reboots.js";
import { type TagLimits, wantedByTags } from "./tags.js";

export interface ContextParts {
  readonly role: string;
  readonly given: Pick<RoleContext, "vars" | "facts" | "host" | "check">;
  readonly tools: RoleTools;
  readonly types: readonly TypeSource[];
  readonly providers: OwnProviders;
  /** Does resources as other users */
  readonly accounts: Pick<Accounts, "typeFor">;
  readonly reboots: Pick<Reboots, "replay" | "record">;
  readonly limits: TagLimits;
  readonly queue: Pick<Queue, "add">;
  readonly events: Pick<Events, "resource">;
  /** Where the role called the resource that an error came from */
  readonly positions: WeakMap<object, string>;
}

type ResourceFunction = (name: ResourceName, options?: CommonOptions) => Promise<Result>;

/** What `main` is given: its values, and a function for each resource type. */
export function roleContext(parts: ContextParts): RoleContext {
  const functions = Object.fromEntries(
    parts.types.map((source) => [source.name, resourceFunction(source, parts)]),
  );
  return { ...parts.given, ...functions } as unknown as RoleContext;
}

function resourceFunction(source: TypeSource, parts: ContextParts): ResourceFunction {
  const { queue, positions } = parts;
  const call: ResourceFunction = (name, options) => {
    const at = callPosition(call);
    return queue.add(async () => {
      try {
        return (
          parts.reboots.replay(source.name, nameOf(name)) ?? (await recorded(source, name, options, parts))
        );
      } catch (error) {
        if (at !== undefined && typeof error === "object" && error !== null) positions.set(error, at);
        throw error;
      }
    });
  };
  return call;
}

/** Runs it, and remembers how that went for a reboot that may come. */
async function recorded(
  source: TypeSource,
  name: ResourceName,
  options: CommonOptions | undefined,
  parts: ContextParts,
): Promise<Result> {
  try {
    const result = await runOne(source, name, options, parts);
    parts.reboots.record(source.name, nameOf(name), result, false);
    return result;
  } catch (error) {
    if (error instanceof ResourceError) parts.reboots.record(source.name, nameOf(name), error.result, true);
    throw error;
  }
}

async function runOne(
  source: TypeSource,
  name: ResourceName,
  options: CommonOptions | undefined,
  { role, tools, providers, accounts, limits, events }: ContextParts,
): Promise<Result> {
  const type = await source.find().catch((error: unknown) => {
    throw failedToCome(source, nameOf(name), error);
  });
  const as = options?.as;
  const other = typeof as === "string" && as !== tools.facts.user.name;
  if (wantedByTags(tagsOf(options), limits))
    return runResource(other ? accounts.typeFor(as, source.name, type) : type, tools, name, options, {
      providers: providers.get(type.name) ?? [],
      report: (report) => events.resource(role, report),
    });
  await events.resource(role, { type: type.name, name: nameOf(name), status: "skipped", changes: [], ms: 0 });
  return skippedResult(type);
}

function failedToCome(source: TypeSource, name: string, error: unknown): ResourceError {
  const result = { changed: false, failed: true, skipped: false, changes: [], error: causeOf(error) };
  return new ResourceError(source.name, name, result, { cause: error });
}

/** Whatever else stands there is an error that the resource tells, where it runs. */
function tagsOf(options: CommonOptions | undefined): readonly string[] {
  const tags: unknown = options?.tags;
  return Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === "string") : [];
}
