import { TYPE_PARTS } from "../../vocabulary/parts.js";
import type { Provider, ResourceType } from "../../vocabulary/types.js";
import { Refusal } from "../errors.js";
import type { PartLoader } from "../modules/part-loader.js";
import { type AnyType, TYPES } from "./table.js";

/** A type as a role calls it: its name, and where it comes from when it is called. */
export interface TypeSource {
  readonly name: string;
  find(): Promise<AnyType>;
}

/** Every type that a role has: the wing's, those in parts, and the role's own. */
export function typeSources(
  parts: Pick<PartLoader, "load">,
  own: Readonly<Record<string, AnyType>>,
): TypeSource[] {
  const here = Object.entries<AnyType>({ ...own, ...TYPES });
  return [
    ...here.map(([name, type]) => ({ name, find: async () => type })),
    ...Object.entries(TYPE_PARTS).flatMap(([part, names]) =>
      names.map((name) => ({
        name,
        async find() {
          const { types } = (await parts.load(part)) as { types?: Record<string, ResourceType> };
          const type = types?.[name];
          if (!type) throw new Refusal(`the wing's part "${part}" has no type "${name}"`);
          return type as AnyType;
        },
      })),
    ),
  ];
}

/** Providers that a role brings, by the name of their type. */
export type OwnProviders = ReadonlyMap<string, readonly Provider[]>;
