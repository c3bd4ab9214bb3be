import { randomInt } from "node:crypto";
import {
  type FactContext,
  type FactDefinition,
  type Facts,
  GATHERED,
  type GatheredFacts,
  type RoleFacts,
} from "../../vocabulary/facts.js";
import { Refusal } from "../errors.js";
import type { Files } from "../files/files.js";
import type { PartLoader } from "../modules/part-loader.js";
import { fileTests } from "./file-tests.js";

/** What the part "facts" exports: how the costly ones are gathered. */
export type Gatherers = {
  readonly [Name in keyof GatheredFacts]: (tools: GatherTools) => ReturnType<GatheredFacts[Name]>;
};

export interface GatherTools extends Pick<FactContext, "exec" | "signal"> {
  /** Loads a part of the wing */
  part(name: string): Promise<Readonly<Record<string, unknown>>>;
}

export interface RoleFactsParts {
  readonly facts: Facts;
  readonly files: Files;
  readonly parts: Pick<PartLoader, "load">;
  /** What own facts have, but for the facts themselves */
  readonly context: Omit<FactContext, "facts">;
  readonly own: Readonly<Record<string, FactDefinition>>;
}

/** What `main` has as `facts`. */
export function roleFacts({ facts, files, parts, context, own }: RoleFactsParts): RoleFacts {
  const kept = new Map<string, Promise<unknown>>();
  /** Gathers once; what failed is tried again when it is asked for again. */
  const once = (name: string, gather: () => unknown): (() => Promise<unknown>) => {
    return () => {
      const known = kept.get(name);
      if (known) return known;
      const fresh = Promise.resolve().then(gather);
      kept.set(name, fresh);
      fresh.catch(() => {
        if (kept.get(name) === fresh) kept.delete(name);
      });
      return fresh;
    };
  };
  const tools: GatherTools = {
    exec: context.exec,
    signal: context.signal,
    part: (name) => parts.load(name),
  };
  const built: Record<string, unknown> = {
    ...facts,
    file: fileTests(files),
    chaos: { random: Math.random, choice },
    invalidate: () => kept.clear(),
  };
  for (const name of GATHERED)
    built[name] = once(name, async () => {
      const gatherers = (await parts.load("facts")) as unknown as Gatherers;
      return gatherers[name](tools);
    });
  const all = built as unknown as RoleFacts;
  for (const [name, { gather }] of Object.entries(own))
    built[name] = once(name, () => gather({ ...context, facts: all }));
  return all;
}

function choice<T>(list: readonly T[]): T {
  if (list.length === 0) throw new Refusal("facts.chaos.choice() needs a list that is not empty");
  return list[randomInt(list.length)] as T;
}
