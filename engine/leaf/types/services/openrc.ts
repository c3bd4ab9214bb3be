import { Refusal } from "../../errors.js";
import type { TypeContext } from "../../type.js";
import type { Deed, ServiceProvider } from "./provider.js";
import { ABSENT } from "./provider.js";

const RUNLEVEL = "default";

const COMMANDS: Partial<Record<Deed, (name: string) => readonly string[]>> = {
  enable: (name) => ["rc-update", "add", name, RUNLEVEL],
  start: (name) => ["rc-service", name, "start"],
  stop: (name) => ["rc-service", name, "stop"],
  restart: (name) => ["rc-service", name, "restart"],
  reload: (name) => ["rc-service", name, "reload"],
};

export const openrc: ServiceProvider = {
  name: "openrc",
  suits: ({ serviceManager }) => serviceManager === "openrc",
  deeds: [...(Object.keys(COMMANDS) as Deed[]), "disable"],
  async look(context, name) {
    const { rc: missing } = await context.exec("rc-service", ["--exists", name], { accept: [0, 1] });
    if (missing !== 0) return ABSENT;
    // 0: started, 3: stopped, 4: stopping, 8: starting, 16: inactive, 32: crashed
    const { rc } = await context.exec("rc-service", [name, "status"], { accept: "any" });
    const enabled = (await levelsOf(context, name)).length > 0;
    return {
      exists: true,
      running: rc === 0 || rc === 8,
      enabled,
      ...(rc === 32 ? { trouble: "crashed" } : {}),
    };
  },
  async mustFit(deeds, _state, context, name) {
    if (!deeds.includes("reload")) return;
    // "* reload: no description", on stderr
    const { rc, stdout, stderr } = await context.exec("rc-service", [name, "describe"], { accept: "any" });
    if (rc === 0 && !/\breload:/.test(stdout + stderr))
      throw new Refusal("openrc can't reload it: its script does not say how (it has no reload())");
  },
  async act(context, deed, name) {
    const [program, ...args] = COMMANDS[deed]?.(name) ?? [];
    if (program !== undefined) {
      await context.exec(program, args);
      return;
    }
    // `rc-update --all del` fails for each runlevel that the service is not in.
    for (const level of await levelsOf(context, name)) await context.exec("rc-update", ["del", name, level]);
  },
};

/** The runlevels that a service is started in. */
async function levelsOf(context: TypeContext, name: string): Promise<string[]> {
  const { stdout } = await context.exec("rc-update", ["-a", "show"]);
  const line = stdout.split("\n").find((one) => one.split("|")[0]?.trim() === name);
  return (line?.split("|")[1] ?? "").split(/\s+/).filter((level) => level !== "");
}
