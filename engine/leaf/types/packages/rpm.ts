import type { TypeContext } from "../../../vocabulary/types.js";
import { rows, type Versions } from "./provider.js";

const FORMAT = "%{NAME}|%{EPOCHNUM}:%{VERSION}-%{RELEASE}|%{ARCH}\\n";

/** What rpm's database says of these names: packages, or what packages provide. */
export async function rpmInstalled(context: TypeContext, names: readonly string[]): Promise<Versions> {
  const found = new Map<string, string>();
  const { stdout } = await context.exec("rpm", ["-q", "--qf", FORMAT, ...names], { accept: "any" });
  // The last of several (kernels) is the newest.
  for (const [name = "", version = "", architecture] of rows(stdout, "|"))
    for (const form of [name, `${name}.${architecture}`])
      if (names.includes(form)) found.set(form, withoutEpoch(version));
  for (const name of names) {
    if (found.has(name)) continue;
    const provided = await context.exec("rpm", ["-q", "--qf", FORMAT, "--whatprovides", name], {
      accept: "any",
    });
    const version = provided.rc === 0 ? rows(provided.stdout, "|")[0]?.[1] : undefined;
    if (version !== undefined) found.set(name, withoutEpoch(version));
  }
  return found;
}

/** An epoch of 0 is none. */
export const withoutEpoch = (version: string): string => version.replace(/^(0|\(none\)):/, "");
