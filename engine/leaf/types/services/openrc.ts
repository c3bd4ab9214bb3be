import type { Deed, ServiceProvider } from "./provider.js";
import { ABSENT } from "./provider.js";

const RUNLEVEL = "default";

const COMMANDS: Partial<Record<Deed, (name: string) => readonly string[]>> = {
  enable: (name) => ["rc-update", "add", name, RUNLEVEL],
  // Out of every runlevel, not only of the one that the host is in.
  disable: (name) => ["rc-update", "-a", "del", name],
  start: (name) => ["rc-service", name, "start"],
  stop: (name) => ["rc-service", name, "stop"],
  restart: (name) => ["rc-service", name, "restart"],
  reload: (name) => ["rc-service", name, "reload"],
};

export const openrc: ServiceProvider = {
  name: "openrc",
  suits: ({ serviceManager }) => serviceManager === "openrc",
  deeds: Object.keys(COMMANDS) as Deed[],
  async look(context, name) {
    const { rc: missing } = await context.exec("rc-service", ["--exists", name], { accept: [0, 1] });
    if (missing !== 0) return ABSENT;
    // 0: started, 3: stopped, 4: stopping, 8: starting, 16: inactive, 32: crashed
    const { rc } = await context.exec("rc-service", [name, "status"], { accept: "any" });
    const { stdout } = await context.exec("rc-update", ["-a", "show"]);
    const enabled = stdout.split("\n").some((line) => {
      const [service, levels = ""] = line.split("|");
      return service?.trim() === name && levels.trim() !== "";
    });
    return {
      exists: true,
      running: rc === 0 || rc === 8,
      enabled,
      ...(rc === 32 ? { trouble: "crashed" } : {}),
    };
  },
  async act(context, deed, name) {
    const [program, ...args] = COMMANDS[deed]!(name);
    await context.exec(program!, args);
  },
};
