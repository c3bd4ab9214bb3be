import { Refusal } from "../../errors.js";
import { ABSENT, type ServiceProvider } from "./provider.js";

interface Info {
  readonly running: boolean;
  readonly loaded: boolean;
  readonly registered?: boolean;
}

/** Services of Homebrew's formulae. It registers one for the next login as it starts it, never apart from that. */
export const brew: ServiceProvider = {
  name: "brew",
  suits: () => false,
  deeds: ["enable", "disable", "start", "stop", "restart"],
  async look(context, name) {
    const { rc, stdout } = await context.exec("brew", ["services", "info", name, "--json"], {
      accept: [0, 1],
    });
    if (rc !== 0) return ABSENT;
    const [info] = JSON.parse(stdout) as Info[];
    if (!info) return ABSENT;
    return { exists: true, running: info.running, enabled: info.registered ?? info.loaded };
  },
  mustFit(deeds, { running }) {
    if (deeds.includes("enable") && !running && !deeds.includes("start") && !deeds.includes("restart"))
      throw new Refusal('brew enables a service only along with starting it; add "started: true"');
    if (deeds.includes("disable") && running && !deeds.includes("stop"))
      throw new Refusal('brew disables a service only along with stopping it; add "started: false"');
  },
  async act(context, deed, name, all) {
    const run = (...args: string[]) => context.exec("brew", ["services", ...args]);
    if (deed === "enable") await run("start", name);
    else if (deed === "disable") await run("stop", name);
    // Registering started it already, forgetting stopped it.
    else if (deed === "start" && !all.includes("enable")) await run("run", name);
    else if (deed === "stop" && !all.includes("disable")) await run("stop", name);
    else if (deed === "restart") await run("restart", name);
  },
};
