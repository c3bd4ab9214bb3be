import { asMopError, type ErrorName, MopError } from "../../../transport/errors.js";
import type { NodeInfo } from "../../../transport/types.js";
import { encodeValue } from "../../../transport/wire/value.js";
import { bootCommand, shellArgs } from "../../boot/command.js";
import { commandOptions } from "../../boot/core.js";
import { spawnPiped } from "../../boot/spawn.js";
import type { BootOrder, Elevation } from "../../orders.js";
import type { Command } from "../../runtime/types.js";
import { reportsOf } from "../adopt-report.js";
import type { Bringing } from "../bringing.js";
import { joinedBelow } from "../join-below.js";
import type { Place } from "../place.js";
import { isCarried } from "../seal.js";
import {
  type Attempts,
  bootOrder,
  bringingTo,
  carrierOf,
  elevationOf,
  type StartPort,
  startHere,
} from "../start.js";
import type { From } from "../ways.js";
import type { HopWay, Reaching } from "./hop.js";

/** Stands for the boot command as one word, for programs that take a line for a shell. */
const LINE = "{command}";

/** Gives a command a terminal, from a program that most hosts have. */
const TERMINAL = ["script", "-qc", LINE, "/dev/null"];
/** Words of sudo (`requiretty`) and su that run for nobody without one. */
const WANTS_TERMINAL = /must (have a tty|be run from a terminal)/;

/** Failures for which it matters how the place is entered. */
const OF_THE_COMMAND: ReadonlySet<ErrorName> = new Set<ErrorName>([
  "BOOT_FAILED",
  "TIMEOUT",
  "BECOME_REFUSED",
]);

/** A place that a command leads into, as a container: the host before it runs the command, and a node is started over its stdio. */
export const command: HopWay = {
  starts: "relay",
  handsOff: true,
  async reach(reaching) {
    const { enter = [] } = reaching.place.hop;
    try {
      return await enterBy(reaching, enter);
    } catch (error) {
      if (enter.length > 0 || !WANTS_TERMINAL.test(asMopError(error).message)) throw error;
      return enterBy(reaching, TERMINAL);
    }
  },
  explain(place, error) {
    const { hop, parent } = place;
    if (!OF_THE_COMMAND.has(error.code)) return error;
    if (place.isWithin)
      return error.code === "BOOT_FAILED" && /(^|: )script can't be run/.test(error.message)
        ? new MopError(
            "BECOME_REFUSED",
            `${place.name}: a terminal is wanted there to become another user, and there is no \`script\` to give one (mop_hop = "sealed" for the host before it lets this machine do it)`,
            { cause: error },
          )
        : error;
    const how = (hop.enter ?? []).join(" ");
    const text = `${error.message} (it is entered by \`${how}\`, run on ${parent?.name ?? "this machine"})`;
    return new MopError(error.code, text, { cause: error });
  },
  wayOut: ({ id, name, hop }) => ({ type: "node", id, name, handsOff: !hop.keepsNone }),
};

const enterBy = ({ port, place, from, attempts, tries }: Reaching, enter: readonly string[]) =>
  tries(async () => {
    const bringing = await bringingTo(port, place, from);
    const order = bootOrder(port, place, bringing);
    const open = { order, elevation: await elevationOf(place.hop), bringing };
    const start: Start = { ...open, argv: argvOf(port, place, enter, open) };
    return from.type === "node"
      ? below(port, place, from.id, start, attempts)
      : here(port, place, from, start, attempts);
  });

/** What is needed to start a node there. */
interface Start {
  readonly order: BootOrder;
  readonly elevation: Elevation | null;
  readonly argv: readonly string[];
  readonly bringing: Bringing | undefined;
}

/** The template's words with the boot command in its place or, as words of its own, behind them. */
function argvOf(
  port: StartPort,
  { hop }: Place,
  enter: readonly string[],
  start: Omit<Start, "argv">,
): string[] {
  const options = commandOptions(port.core, start.order, hop.node, hop.become, start.bringing?.runtimes);
  // Refuses a path or a user that no shell could be given
  const line = bootCommand(options);
  return enter.includes(LINE)
    ? enter.map((word) => (word === LINE ? line : word))
    : [...enter, "/bin/sh", "-c", ...shellArgs(options)];
}

/** The node before it runs the command, and is the child's parent. */
async function below(
  port: StartPort,
  place: Place,
  parent: number,
  { order, elevation: open, argv }: Start,
  attempts: Attempts,
): Promise<NodeInfo> {
  const elevation = open && (await sealedElevation(port, place, open));
  place.authenticated = true;
  const reports = reportsOf(carrierOf(place, parent)?.name ?? place.name);
  return joinedBelow(port, place, parent, order, attempts, () => {
    const channel = port.endpoint.open(parent, "spawn", null);
    let reading: Promise<void> | undefined;
    return {
      answerMs: 0,
      closed: channel.closed.then(async (error) => {
        await reading;
        return reports.broken ?? error;
      }),
      reset: () => channel.reset("CANCELLED", "the command was given up"),
      async send(report) {
        reading = (async () => {
          try {
            for await (const { body } of channel.receive()) report(reports.read(body));
          } catch (error) {
            // Nothing, where it was the channel's own end
            channel.reset(asMopError(error).code, asMopError(error).message);
          }
        })();
        const body = encodeValue({
          type: "spawn",
          argv,
          child: { ...order },
          elevation: elevation && { ...elevation },
        });
        elevation?.secret.fill(0);
        try {
          await channel.control(body);
        } finally {
          // It left as a copy
          body.fill(0);
        }
      },
    };
  });
}

/** The node that runs the command types the password; those before it pass it on sealed. */
async function sealedElevation(port: StartPort, place: Place, open: Elevation): Promise<Elevation> {
  if (open.secret.length === 0 || !place.parent || !isCarried(place.parent)) return open;
  const { bytes } = await port.sealFor(place.parent, open.secret);
  open.secret.fill(0);
  return { ...open, secret: bytes, sealed: true };
}

/** This machine runs the command. */
function here(
  port: StartPort,
  place: Place,
  from: From,
  { order, elevation, argv, bringing }: Start,
  attempts: Attempts,
): Promise<NodeInfo> {
  if (from.type === "jump")
    throw new MopError(
      "BAD_ARGUMENT",
      `no command can be run on ${place.parent?.name}, which is a jump: mop_hop = "relay" or "sealed" lets it`,
    );
  const run = (edit: (word: string) => string): Command => {
    const spawned = spawnPiped(argv.map(edit));
    place.process = spawned;
    return spawned;
  };
  const first = run((word) => word);
  place.authenticated = true;
  return startHere(port, place, { order, elevation, first, bring: { bringing, run } }, attempts);
}
