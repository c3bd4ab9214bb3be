import { spawn } from "node:child_process";
import { MopError } from "../../../transport/errors.js";
import type { NodeInfo } from "../../../transport/types.js";
import { firstStageArgs, shellArgs } from "../../boot/command.js";
import { commandOptions } from "../../boot/core.js";
import { joinStdio } from "../../boot/stdio.js";
import type { Command } from "../../runtime/types.js";
import type { Place } from "../place.js";
import { type Attempts, bootOrder, elevationOf, type StartPort, startHere } from "../start.js";
import type { HopWay } from "./hop.js";

/** This machine: a node as a child of this process, with the Node that runs it. */
export const local: HopWay = {
  starts: "node",
  handsOff: true,
  async reach({ port, place, attempts }) {
    if (place.parent)
      throw new MopError("BAD_ARGUMENT", `${place.name}: this machine can't stand behind another host`);
    return startLocal(port, place, attempts);
  },
  wayOut: ({ id, name }) => ({ type: "node", id, name, handsOff: true }),
};

async function startLocal(port: StartPort, place: Place, attempts: Attempts): Promise<NodeInfo> {
  const elevation = await elevationOf(place.hop);
  const order = bootOrder(port, place, undefined);
  const { bytes, hash } = port.core;
  const { node, become } = place.hop;
  const [program, args] = become
    ? ["/bin/sh", ["-c", ...shellArgs(commandOptions(port.core, order, node || process.execPath, become))]]
    : [
        node || process.execPath,
        firstStageArgs({ nonce: order.nonce, size: bytes.length, hash, title: order.title }),
      ];
  // In a group of its own: an interrupt at the terminal is ours to pass on
  const child = spawn(program, args, { stdio: "pipe", detached: true });
  const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  place.process = { exit, kill: () => child.kill("SIGKILL") };
  place.authenticated = true;
  const pipe = joinStdio(child.stdout, child.stdin);
  const first: Command = { pipe, exit, onStderr: (take) => child.stderr.on("data", take) };
  const up = startHere(port, place, { order, elevation, first }, attempts);
  const failed = new Promise<never>((_resolve, reject) => {
    child.on("error", (error) =>
      reject(new MopError("NO_NODE", `${place.name}: ${program} can't be run: ${error.message}`)),
    );
  });
  return Promise.race([up, failed]);
}
