import type { Result, ServiceOptions } from "../../../vocabulary/resources.js";
import { Refusal } from "../../errors.js";
import { rules } from "../../options.js";
import { pause } from "../../process/deadline.js";
import { NOTHING, type Plan, type ResourceType, type TypeContext } from "../../type.js";
import { brew } from "./brew.js";
import { launchd } from "./launchd.js";
import { openrc } from "./openrc.js";
import { ABSENT, DEEDS, type Deed, type ServiceProvider, type ServiceState } from "./provider.js";
import { systemd } from "./systemd.js";
import { sysvinit } from "./sysvinit.js";

const ASKS = ["started", "enabled", "restarted", "reloaded", "masked", "daemonReload"] as const;

/** A service: runs or not, starts with the host or not. */
export const service: ResourceType<ServiceOptions, Result, ServiceProvider> = {
  name: "service",
  options: {
    started: rules.flag,
    enabled: rules.flag,
    restarted: rules.flag,
    reloaded: rules.flag,
    masked: rules.flag,
    daemonReload: rules.flag,
  },
  providers: [systemd, openrc, sysvinit, launchd, brew],
  async plan(context, name, options, provider) {
    if (!/^[A-Za-z0-9_][\w@.:\\+-]*$/.test(name)) throw new Refusal(`"${name}" is no name of a service`);
    mustFit(options);
    const state = await look(context, name, provider);
    const deeds = decide(context, name, options, state);
    const strange = deeds.find((deed) => !provider.deeds.includes(deed));
    if (strange !== undefined)
      throw new Refusal(`${provider.name} has no way to ${WORDS[strange]} a service`);
    const barred = deeds.find((deed) => state.bars?.[deed] !== undefined);
    if (barred !== undefined)
      throw new Refusal(`${provider.name} can't ${WORDS[barred]} it: ${state.bars?.[barred]}`);
    await provider.mustFit?.(deeds, state, context, name);
    return deeds.length === 0 ? NOTHING : carryingOut(context, name, deeds, state, provider);
  },
};

/** A program that ends at once is up for a moment, in ms. */
const SETTLE = 200;
/** Scripts that return before the program has written where it runs, or has ended, are looked at so often, a moment apart. */
const LOOKS = 15;

const WORDS: Readonly<Record<Deed, string>> = {
  daemonReload: "read changed files of",
  unmask: "unmask",
  disable: "disable",
  stop: "stop",
  mask: "mask",
  enable: "enable",
  start: "start",
  restart: "restart",
  reload: "reload",
};

function mustFit(options: ServiceOptions): void {
  if (ASKS.every((ask) => options[ask] === undefined))
    throw new Refusal(`nothing is asked of it; its options are ${ASKS.join(", ")}`);
  const { started, enabled, restarted, reloaded, masked } = options;
  const both = (a: string, b: string) => new Refusal(`it can't be both ${a} and ${b}`);
  if (started === false && restarted) throw both("restarted", "not started");
  if (started === false && reloaded) throw both("reloaded", "not started");
  if (restarted && reloaded) throw both("restarted", "reloaded; a restart reads the configuration as well");
  if (masked && started) throw both("masked", "started");
  if (masked && enabled) throw both("masked", "enabled");
  if (masked && restarted) throw both("masked", "restarted");
}

async function look(context: TypeContext, name: string, provider: ServiceProvider): Promise<ServiceState> {
  try {
    return await provider.look(context, name);
  } catch (error) {
    // Under --check its manager may be something that was only planned.
    if (context.uncertain() && error instanceof Refusal) return ABSENT;
    throw error;
  }
}

function decide(context: TypeContext, name: string, options: ServiceOptions, state: ServiceState): Deed[] {
  const { started, enabled, restarted, reloaded, masked, daemonReload } = options;
  const needed = started === true || enabled === true || restarted === true || reloaded === true;
  if (!state.exists && needed && !context.uncertain())
    throw new Refusal(`there is no service "${name}" on this host`);
  if (state.masked && masked !== false && needed)
    throw new Refusal('it is masked; "masked: false" unmasks it');
  if (enabled === true && state.enabled === undefined)
    throw new Refusal("it can't be enabled: its unit does not say when it starts (it has no [Install])");
  const wanted: Readonly<Record<Deed, boolean>> = {
    daemonReload: daemonReload === true && state.stale === true,
    unmask: masked === false && state.masked === true,
    mask: masked === true && state.masked !== true,
    enable: enabled === true && state.enabled === false,
    disable: enabled === false && state.enabled === true,
    start: started === true && !state.running && !restarted,
    stop: started === false && state.running,
    restart: restarted === true,
    reload: reloaded === true && state.running,
  };
  return DEEDS.filter((deed) => wanted[deed]);
}

function carryingOut(
  context: TypeContext,
  name: string,
  deeds: readonly Deed[],
  state: ServiceState,
  provider: ServiceProvider,
): Plan {
  const has = (deed: Deed) => deeds.includes(deed);
  const words = (running: boolean) => (running ? "running" : "stopped");
  const lines: string[] = [];
  const line = (what: string, before: string, after: string) => {
    if (before !== after) lines.push(`${what}: ${before} -> ${after}\n`);
  };
  line(
    "state",
    words(state.running),
    words(has("start") || has("restart") || (state.running && !has("stop"))),
  );
  line("enabled", yesNo(state.enabled), has("enable") ? "yes" : has("disable") ? "no" : yesNo(state.enabled));
  line("masked", yesNo(state.masked), has("mask") ? "yes" : has("unmask") ? "no" : yesNo(state.masked));
  return {
    actions: deeds,
    ...(context.diff && lines.length > 0 ? { diff: lines.join("") } : {}),
    async apply() {
      for (const deed of deeds) await provider.act(context, deed, name, deeds);
      const starts = has("start") || has("restart");
      if (starts) await pause(SETTLE, context.signal);
      for (let looks = 1; ; looks++) {
        const now = await provider.look(context, name);
        const fault = has("stop") && now.running ? STILL_RUNS : starts ? notRunning(now) : undefined;
        if (fault === undefined) return deeds;
        if (looks === LOOKS || now.trouble !== undefined) throw new Refusal(fault);
        await pause(SETTLE, context.signal);
      }
    },
  };
}

const STILL_RUNS = "it was stopped, but it is still running";

function notRunning({ running, passing, trouble }: ServiceState): string | undefined {
  if (running || (passing && trouble === undefined)) return undefined;
  return `it was started, but it is not running${trouble === undefined ? "" : ` (${trouble})`}`;
}

const yesNo = (value: boolean | undefined): string => (value ? "yes" : "no");
