import { setTimeout as after } from "node:timers";
import { createEndpoint } from "../../transport/endpoint.js";
import type { NodeId } from "../../transport/types.js";
import { endSpawned } from "../boot/spawn.js";
import { joinStdio } from "../boot/stdio.js";
import { serveBlobs } from "./blobs.js";
import { nodeInfo } from "./info.js";
import type { JoinPort, LinkBytes } from "./join.js";
import { createParts } from "./part.js";
import { servePipes } from "./pipes.js";
import { serveReports } from "./reports.js";
import { createSeals } from "./seal.js";
import { serveSpawns } from "./spawn.js";
import { claimStdout } from "./stdout.js";
import { serveWings } from "./wing.js";

/** Milliseconds that the end of what is below may take once the parent is gone. */
const END_MS = 1500;

/**
 * The program that every remote node runs; called by the boot's first stage with the core that it came from. It lives
 * as long as the link to its parent.
 */
export function start(core: Uint8Array): void {
  const stdout = claimStdout();
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const seals = createSeals();
  const endpoint = createEndpoint({ parent: joinStdio(process.stdin, stdout), info: nodeInfo(seals.key) });
  const links = new Map<NodeId, LinkBytes>();
  const onLine = (name: string, line: string) => say(`${name}: ${line}`);
  const blobs = serveBlobs(endpoint);
  const load = createParts(blobs);
  const port: JoinPort = { endpoint, blobs, load, core, links, sessions: new Map(), onLine };
  const unseal = seals.unsealWith(load);
  servePipes(port);
  serveSpawns(port, unseal);
  serveReports(endpoint, links);
  const wings = serveWings({ endpoint, blobs, load, unseal });

  const end = (status: number) => {
    process.exitCode = status;
    void endpoint.close();
    after(() => process.exit(status), END_MS);
  };
  process.on("uncaughtException", (error) => {
    say(
      `mop: ${error instanceof Error ? (error.stack ?? error.message).replace(/\s*\n\s*/g, " | ") : String(error)}`,
    );
    end(1);
  });
  process.stdin.on("end", () => after(() => process.exit(0), END_MS));
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"] as const) process.on(signal, () => end(143));
  process.on("exit", () => {
    wings.killAll();
    endSpawned();
  });
  void endpoint.parentGone.then(() => wings.idle()).then(() => process.exit(0));
}
