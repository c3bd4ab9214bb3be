import { asMopError, type ErrorName, MopError } from "../../../transport/errors.js";
import type { NodeInfo } from "../../../transport/types.js";
import { encodeValue } from "../../../transport/wire/value.js";
import { bootCommand, shellArgs } from "../../boot/command.js";
import { commandOptions } from "../../boot/core.js";
import { spawnPiped } from "../../boot/spawn.js";
import type { BootOrder, Elevation } from "../../orders.js";
import type { Command } from "../../runtime/types.js";
import { readAdoptReport } from "../adopt-report.js";
import {
  type Attempts,
  bootOrder,
  bringHere,
  bringingTo,
  elevationOf,
  joinedBelow,
  type StartPort,
  startHere,
} from "../attempt.js";
import type { Bringing } from "../bringing.js";
import type { Place } from "../place.js";
import type { From } from "../ways.js";
import type { HopWay } from "./hop.js";

/** Stands for the boot command as one word, for programs that take a line for a shell. */
const LINE = "{command}";

/** Failures for which it matters how the place is entered. */
const OF_THE_COMMAND: ReadonlySet<ErrorName> = new Set<ErrorName>([
  "BOOT_FAILED",
  "TIMEOUT",
  "BECOME_REFUSED",
]);

/** A place that a command leads into, as a container: the host before it runs the command, and a node is started over its stdio. */
export const command: HopWay = {
  starts: "relay",
  reach: ({ port, place, from, attempts, tries }) =>
    tries(async () => {
      const bringing = await bringingTo(port, place);
      const order = bootOrder(port, place, bringing);
      const start: Start = {
        order,
        elevation: await elevationOf(place.hop),
        argv: argvOf(port, place, order, bringing),
        bringing,
      };
      return from.type === "node"
        ? below(port, place, from.id, start, attempts)
        : here(port, place, from, start, attempts);
    }),
  explain({ hop, parent }, error) {
    if (!OF_THE_COMMAND.has(error.code)) return error;
    const how = (hop.enter ?? []).join(" ");
    const text = `${error.message} (it is entered by \`${how}\`, run on ${parent?.name ?? "this machine"})`;
    return new MopError(error.code, text, { cause: error });
  },
  wayOut: ({ id, name }) => ({ type: "node", id, name, handsOff: true }),
};

/** What is needed to start a node there. */
interface Start {
  readonly order: BootOrder;
  readonly elevation: Elevation | null;
  readonly argv: readonly string[];
  readonly bringing: Bringing | undefined;
}

/** The template's words with the boot command in its place or, as words of its own, behind them. */
function argvOf(port: StartPort, { hop }: Place, child: BootOrder, bringing: Bringing | undefined): string[] {
  const enter = hop.enter ?? [];
  const options = commandOptions(port.core, child, hop.node, hop.become, bringing?.runtimes);
  // Refuses a path or a user that no shell could be given
  const line = bootCommand(options);
  return enter.includes(LINE)
    ? enter.map((word) => (word === LINE ? line : word))
    : [...enter, "/bin/sh", "-c", ...shellArgs(options)];
}

/** The node before it runs the command, and is the child's parent. */
function below(
  port: StartPort,
  place: Place,
  parent: number,
  { order, elevation, argv }: Start,
  attempts: Attempts,
): Promise<NodeInfo> {
  place.authenticated = true;
  return joinedBelow(port, place, parent, order, attempts, () => {
    const channel = port.endpoint.open(parent, "spawn", null);
    return {
      closed: channel.closed,
      reset: () => channel.reset("CANCELLED", "the command was given up"),
      async send(report) {
        void (async () => {
          try {
            for await (const { body } of channel.receive()) report(readAdoptReport(body));
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
    const { pipe, exit, child } = spawned;
    return { pipe, exit, onStderr: (take) => child.stderr.on("data", take) };
  };
  const command = bringHere(
    bringing,
    { place, order },
    run((word) => word),
    run,
  );
  place.authenticated = true;
  const { up, stderr } = startHere(port, place, { order, elevation }, command.pipe, attempts);
  command.onStderr(stderr);
  return up;
}
