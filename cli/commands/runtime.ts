import type { Command } from "commander";
import { type CleanEvent, cleanRuntimes } from "../../engine/controller/run/clean-runtimes.js";
import { fetchRuntime } from "../../engine/controller/runtimes/fetch.js";
import { type Supplied, supplied } from "../../engine/controller/runtimes/supply.js";
import { createMesh } from "../../relay/mesh/create.js";
import { targetOptions, withMesh } from "../connect.js";
import { withDefaults } from "../defaults/with-defaults.js";
import { addConnectionOptions, addOutputOptions, type ConnectionFlags } from "../options.js";
import { escapeLine, safeJson } from "../output/escape.js";
import { createStyle, type Style, wantsColour } from "../output/style.js";
import { createView } from "../output/view.js";
import type { Outcome } from "../program.js";

export function addRuntime(program: Command, outcome: Outcome): void {
  const runtime = program
    .command("runtime")
    .description("the Nodes that are brought to hosts without one (mop_node = push)");
  addAdd(runtime, outcome);
  addList(runtime, outcome);
  addClean(runtime, outcome);
}

type OutputFlags = Pick<ConnectionFlags, "output">;

function addAdd(runtime: Command, outcome: Outcome): void {
  const command = runtime
    .command("add")
    .description("fetch Node's own build from the registry that npm is set up for")
    .argument("<platform[@version]>", "linux-x64, linux-arm64@20; default: this Node's major version");
  addOutputOptions(command).action(async (what: string, { output }: OutputFlags) => {
    const { platform, version, source, hash, file } = await fetchRuntime({ what });
    outcome.print(
      output === "json"
        ? `${safeJson({ event: "runtime", platform, version, source, hash, file })}\n`
        : `  ${platform}  Node ${version}, ${source}, in ${escapeLine(file)}\n`,
    );
  });
}

function addList(runtime: Command, outcome: Outcome): void {
  const command = runtime.command("list").description("what can be brought, and where it comes from");
  addOutputOptions(command).action(async (flags: OutputFlags) => {
    const view = createView(flags, outcome.print);
    const { runtimes } = await withDefaults(flags, view.note);
    const style = createStyle(wantsColour(process.stdout, process.env));
    for (const one of await supplied({ named: runtimes }))
      outcome.print(
        flags.output === "json" ? `${safeJson({ event: "runtime", ...one })}\n` : line(one, style),
      );
  });
}

const FROM = {
  named: () => "named in defaults.toml",
  kept: ({ source = "" }: Supplied) => source,
  own: () => "the one that runs mop",
};

function line(one: Supplied, style: Style): string {
  const version = one.version === undefined ? "" : `Node ${one.version}, `;
  const glibc = one.glibc === "" ? "" : `, for glibc ${one.glibc} and newer`;
  const what = `${version}${escapeLine(FROM[one.from](one))}${glibc}`;
  return `  ${style.green(one.platform)}  ${what}  ${style.dim(escapeLine(one.file))}\n`;
}

function addClean(runtime: Command, outcome: Outcome): void {
  const command = runtime
    .command("clean")
    .description("remove from every host what was brought there; nothing is brought for it");
  addConnectionOptions(command).action(async (given: ConnectionFlags) => {
    const view = createView({ ...given, roles: false }, outcome.print);
    const flags = await withDefaults(given, view.note);
    const style = createStyle(wantsColour(process.stdout, process.env));
    outcome.status = await withMesh(
      flags,
      view,
      async ({ mesh, stop }) => {
        const options = { ...(await targetOptions(flags, view, stop.signal)), onHosts: view.expect };
        return cleanRuntimes(options, mesh, (event) => {
          if (event.event !== "runtime") return view.report(event);
          outcome.print(flags.output === "json" ? `${safeJson(event)}\n` : cleaned(event, style));
        });
      },
      (options) => createMesh({ ...options, keptRuntimesOnly: true }),
    );
  });
}

function cleaned({ host, removed }: CleanEvent, style: Style): string {
  const what =
    removed.length === 0
      ? style.dim("nothing was kept there")
      : `removed ${removed.length === 1 ? "1 Node" : `${removed.length} Nodes`}`;
  return `  ${style.green(escapeLine(host))}  ${what}\n`;
}
