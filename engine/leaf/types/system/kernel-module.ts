import type { KernelModuleOptions } from "../../../vocabulary/resources.js";
import { Refusal } from "../../errors.js";
import { rules } from "../../options.js";
import type { ResourceType, TypeContext } from "../../type.js";
import { fileStep, type Step, stepsPlan } from "../steps.js";

/** A module of the Linux kernel. */
export const kernelModule: ResourceType<KernelModuleOptions> = {
  name: "kernelModule",
  options: { loaded: rules.flag, persistent: rules.flag, parameters: rules.text, absent: rules.flag },
  async plan(context, name, options) {
    if (!/^[A-Za-z0-9_][\w-]*$/.test(name)) throw new Refusal(`"${name}" is no name of a kernel module`);
    const { absent, parameters } = options;
    for (const option of ["loaded", "persistent"] as const)
      if (absent && options[option]) throw new Refusal(`it can't have both "${option}" and "absent"`);
    if (absent && parameters !== undefined)
      throw new Refusal('it can\'t have both "parameters" and "absent"');
    if (parameters !== undefined && (parameters.trim() === "" || /\n/.test(parameters)))
      throw new Refusal('the option "parameters" must be one line that is not empty');
    const { loaded = !absent, persistent = !absent } = options;
    const settings = absent
      ? null
      : parameters === undefined
        ? undefined
        : `options ${name} ${parameters.trim()}\n`;
    return stepsPlan(context, [
      await wholeFile(
        context,
        "persistent",
        `/etc/modules-load.d/${name}.conf`,
        persistent ? `${name}\n` : null,
      ),
      await wholeFile(context, "parameters", `/etc/modprobe.d/${name}.conf`, settings),
      await loadStep(context, name, loaded),
    ]);
  },
};

/** A file that is this type's alone; null: it shall not be, undefined: it stays as it is. */
async function wholeFile(
  context: TypeContext,
  action: string,
  at: string,
  content: string | null | undefined,
): Promise<Step | undefined> {
  if (content === undefined) return undefined;
  // Comments of whoever wrote it first are no difference.
  const now = await context.read(at);
  if (content !== null && now !== undefined && plain(now) === plain(content)) return undefined;
  return fileStep(context, action, at, content ?? undefined);
}

const plain = (text: string): string =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^[#;]/.test(line))
    .join("\n");

async function loadStep(context: TypeContext, name: string, wanted: boolean): Promise<Step | undefined> {
  const is = await isLoaded(context, name);
  if ((is !== "no") === wanted) return undefined;
  if (is === "built in") throw new Refusal("it is built into this kernel and can't be unloaded");
  if (wanted && !context.uncertain()) {
    const { rc } = await context.exec("modprobe", ["-n", "-q", name], { accept: "any" });
    if (rc === 127) throw new Refusal("there is no modprobe on this host; install kmod before");
    if (rc !== 0) throw new Refusal(`the kernel ${context.facts.kernel ?? ""} has no module "${name}"`);
  }
  const words = (loaded: boolean) => (loaded ? "loaded" : "not loaded");
  return {
    action: wanted ? "load" : "unload",
    diff: `module: ${words(!wanted)} -> ${words(wanted)}\n`,
    // New settings and devices come with it.
    async apply() {
      await context.exec("modprobe", wanted ? [name] : ["-r", name]);
      if ((await isLoaded(context, name)) === "no" ? wanted : !wanted)
        throw new Refusal(`modprobe went through, but the module is ${words(!wanted)}`);
    },
  };
}

/** "-" and "_" are one in the names of modules. */
async function isLoaded(context: TypeContext, name: string): Promise<"yes" | "built in" | "no"> {
  const own = name.replace(/-/g, "_");
  const table = (await context.read("/proc/modules")) ?? "";
  if (table.split("\n").some((line) => line.startsWith(`${own} `))) return "yes";
  const { entry } = await context.files.resolve(`/sys/module/${own}`, true);
  return entry?.kind === "directory" ? "built in" : "no";
}
