import { type Command, InvalidArgumentError } from "commander";
import { PolicyError } from "../../engine/controller/policy-error.js";
import { type TrustKey, type TrustOffer, trustHosts } from "../../engine/controller/run/trust-hosts.js";
import { keyFamily } from "../../transport/ssh/public-key.js";
import { targetOptions, withMesh } from "../connect.js";
import { withDefaults } from "../defaults/with-defaults.js";
import { addConnectionOptions, type ConnectionFlags } from "../options.js";
import { escapeLine, safeJson } from "../output/escape.js";
import { createStyle, type Style, wantsColour } from "../output/style.js";
import { createView } from "../output/view.js";
import type { Outcome } from "../program.js";
import { askYes } from "../prompter.js";

interface TrustFlags extends ConnectionFlags {
  readonly yes?: boolean;
}

export function addTrust(program: Command, outcome: Outcome): void {
  const command = program
    .command("trust")
    .description("show hosts' keys through the mesh, and record them in known_hosts")
    .argument("<hosts>", "names with commas: b1,b2,l1", hostList)
    .option("-y, --yes", "record without asking");
  addConnectionOptions(command).action(async (names: readonly string[], given: TrustFlags) => {
    if (!given.yes && !(process.stdin.isTTY && process.stderr.isTTY))
      throw new PolicyError(
        "mop trust asks on a terminal, and there is none; --yes records what the hosts show without asking",
      );
    const view = createView(given, outcome.print);
    const flags = await withDefaults(given, view.note);
    const style = createStyle(wantsColour(process.stdout, process.env));
    const json = flags.output === "json";
    const shown = new Set<string>();
    const show = (offer: TrustOffer) => {
      if (!json && !shown.has(offer.host)) outcome.print(keyLines(offer, style));
      shown.add(offer.host);
    };
    outcome.status = await withMesh(flags, view, async ({ mesh, stop }) =>
      trustHosts(
        {
          ...(await targetOptions(flags, view, stop.signal)),
          names,
          async accept(offer) {
            show(offer);
            return given.yes === true || askYes(question(offer));
          },
        },
        mesh,
        (event) => {
          if (event.event !== "trust") return view.report(event);
          if (json) return outcome.print(`${safeJson(event)}\n`);
          show(event);
          outcome.print(`  ${escapeLine(event.host)}  ${OUTCOMES[event.outcome](event, style)}\n`);
        },
      ),
    );
  });
}

const OUTCOMES = {
  recorded: ({ file }: TrustOffer, style: Style) => style.green(`recorded in ${escapeLine(file)}`),
  known: (_offer: TrustOffer, style: Style) => style.dim("known already"),
  declined: (_offer: TrustOffer, style: Style) => style.yellow("not recorded"),
};

/** One line a key, as `ssh-keygen -l` has them: bits, fingerprint, known_hosts' name, type. */
const keyLines = ({ host, keys, name, route }: TrustOffer, style: Style): string => {
  const through = route.slice(0, -1).map(escapeLine).join(" > ");
  const way = through === "" ? [] : [style.dim(`  ${escapeLine(host)}  through ${through}`)];
  const lines = keys.map(({ bits, fingerprint, type, known }: TrustKey) => {
    const where = known === undefined ? "" : style.dim(`  ${escapeLine(known)}`);
    return `  ${escapeLine(host)}  ${bits} ${fingerprint} ${escapeLine(name)} (${escapeLine(keyFamily(type))})${where}`;
  });
  return `${[...way, ...lines].join("\n")}\n`;
};

function question({ host, keys, file }: TrustOffer): string {
  const fresh = keys.filter(({ known }) => known === undefined).length;
  const what = fresh === 1 ? "this key" : `these ${fresh} keys`;
  return `Record ${what} of ${escapeLine(host)} in ${escapeLine(file)}? [y/N] `;
}

function hostList(text: string): string[] {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  if (names.length === 0) throw new InvalidArgumentError("it names no host.");
  return names;
}
