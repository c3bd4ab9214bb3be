import { Refusal } from "./errors.js";
import { execute } from "./process/execute.js";
import type { RoleTools, TypeContext } from "./type.js";

/** What one resource's type gets; `signal` is aborted by its timeout as well as by the end of the run. */
export function typeContext(tools: RoleTools, signal: AbortSignal): TypeContext {
  const { files, children } = tools;
  return {
    ...tools,
    signal,
    exec: (program, args, options) => execute(children, signal, program, args, options),
    async read(path) {
      const place = await files.resolve(path, true);
      if (!place.entry) return undefined;
      if (place.entry.kind !== "file") throw new Refusal(`${path} is no ordinary file`);
      const bytes = await files.read(place.path, place.entry);
      return bytes && Buffer.from(bytes).toString("utf8");
    },
    uncertain: () => files.uncertain,
  };
}
