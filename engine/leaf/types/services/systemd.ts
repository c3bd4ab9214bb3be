import { Refusal } from "../../errors.js";
import type { TypeContext } from "../../type.js";
import { DEEDS, type Deed, type ServiceProvider, type ServiceState } from "./provider.js";

const PROPERTIES =
  "LoadState,ActiveState,UnitFileState,NeedDaemonReload,Type,Result,CanStart,CanStop,CanReload,FragmentPath";
const RUNS = new Set(["active", "reloading", "activating", "refreshing"]);
const ENABLED = new Set(["enabled", "alias"]);
/** Enabled until the next start of the host only, or by what generated them */
const DISABLED = new Set(["", "disabled", "enabled-runtime", "linked", "linked-runtime", "indirect", "bad"]);
const COMMANDS = { daemonReload: "daemon-reload" } as Readonly<Record<string, string>>;

export const systemd: ServiceProvider = {
  name: "systemd",
  suits: ({ serviceManager }) => serviceManager === "systemd",
  deeds: DEEDS,
  async look(context, name) {
    const { stdout } = await context.exec("systemctl", ["show", `--property=${PROPERTIES}`, name]);
    const values = new Map(
      stdout.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    const value = (property: string) => values.get(property) ?? "";
    const load = value("LoadState");
    if (load === "bad-setting" || load === "error")
      throw new Refusal(`systemd can't read its unit file (${load}); \`systemd-analyze verify\` says why`);
    const running = RUNS.has(value("ActiveState"));
    const planned = await isPlanned(context, name);
    const masked = load === "masked";
    let state = value("UnitFileState");
    if (state === "generated") state = await scriptState(context, name);
    const known = ENABLED.has(state) || DISABLED.has(state) || masked || state.startsWith("masked");
    const failed = value("ActiveState") === "failed";
    // A unit that nobody uses is read when it is asked for.
    const stale =
      value("NeedDaemonReload") === "yes" ||
      (planned && load === "loaded" && (running || ENABLED.has(state)));
    return {
      exists: load === "loaded" || masked || planned,
      running,
      enabled: known ? ENABLED.has(state) : undefined,
      masked,
      stale,
      passing: value("Type") === "oneshot",
      ...(failed ? { trouble: value("Result") || "failed" } : {}),
      // Of what systemd has not read yet it can't be told.
      bars: load === "loaded" && !stale && !planned ? barsOf(value) : {},
    };
  },
  async act(context, deed, name) {
    const args = deed === "daemonReload" ? [] : [name];
    await context.exec("systemctl", [COMMANDS[deed] ?? deed, ...args]);
  },
};

type Bars = NonNullable<ServiceState["bars"]>;

/** What systemd would refuse to do to a unit. */
function barsOf(value: (property: string) => string): Bars {
  const bars: Partial<Record<Deed, string>> = {};
  const manual = "its unit leaves that to other units";
  if (value("CanStart") === "no") bars.start = bars.restart = `${manual} (RefuseManualStart=)`;
  if (value("CanStop") === "no") bars.stop = bars.restart = `${manual} (RefuseManualStop=)`;
  if (value("CanReload") === "no") bars.reload = "its unit does not say how (it has no ExecReload=)";
  const file = value("FragmentPath");
  if (file.startsWith("/etc/systemd/system/"))
    bars.mask = `${file} is in the place of the mask; remove it with file() before`;
  return bars;
}

/** Scripts of /etc/init.d, which systemd starts: whether they are enabled stands elsewhere. */
async function scriptState(context: TypeContext, name: string): Promise<string> {
  const { stdout } = await context.exec("systemctl", ["is-enabled", name], { accept: "any" });
  return stdout.trim() === "enabled" ? "enabled" : "disabled";
}

/** Under --check: its unit file or a drop-in was planned, so that systemd will find it changed. */
async function isPlanned({ files, check }: TypeContext, name: string): Promise<boolean> {
  if (!check) return false;
  const unit = /\.[a-z]+$/.test(name) ? name : `${name}.service`;
  const template = unit.replace(/@[^.]+\./, "@.");
  for (const folder of [
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
  ])
    for (const one of new Set([unit, template])) {
      const { path, entry } = await files.resolve(`${folder}/${one}`, false);
      if (entry && files.isForeseen(path)) return true;
      const dropIns = await files.resolve(`${folder}/${one}.d`, true);
      if (dropIns.entry?.kind !== "directory") continue;
      for (const file of await files.list(dropIns.path))
        if (files.isForeseen(`${dropIns.path}/${file}`)) return true;
    }
  return false;
}
