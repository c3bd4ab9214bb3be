import type { PartType, WING_TYPES } from "../../vocabulary/parts.js";
import type { RoleContext } from "../../vocabulary/resources.js";
import type { ResourceType } from "../type.js";
import { directory } from "./directory.js";
import { echo } from "./echo.js";
import { file } from "./file.js";
import { link } from "./link.js";
import { reboot } from "./reboot.js";
import { shell } from "./shell.js";

// biome-ignore lint/suspicious/noExplicitAny: each type checks its own options; the table holds any
export type AnyType = ResourceType<any, any, any>;

/** The functions that policies are told of, but for those in parts. */
type Declared = Exclude<keyof RoleContext, "vars" | "facts" | "host" | "check" | PartType>;
/** Those that the vocabulary lists: neither more nor fewer. */
type Listed = [Declared] extends [(typeof WING_TYPES)[number]]
  ? (typeof WING_TYPES)[number]
  : "a type is missing in WING_TYPES";

/** Every resource type that the wing itself has, by the name that `main` has it under. */
export const TYPES = { file, directory, link, shell, reboot, echo } as const satisfies Readonly<
  Record<Declared | Listed, AnyType>
>;
