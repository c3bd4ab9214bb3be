import { randomBytes } from "node:crypto";
import type { Login } from "../../transport/ssh/types.js";
import type { Endpoint, NodeInfo } from "../../transport/types.js";
import { PROTOCOL_VERSION } from "../../transport/wire/constants.js";
import { bootOverPipe } from "../boot/boot.js";
import type { Core } from "../boot/core.js";
import type { BootOrder, Elevation } from "../orders.js";
import type { BringPort, Command } from "../runtime/types.js";
import { BRING_MS, type Bringing } from "./bringing.js";
import type { Place } from "./place.js";
import { createReplayPipe, type ReplayPipe } from "./replay-pipe.js";
import type { SealFor } from "./seal.js";
import type { Hop, MeshOptions } from "./types.js";
import type { From, WayPort } from "./ways.js";

export interface StartPort extends WayPort {
  readonly endpoint: Endpoint;
  readonly login: Login;
  readonly core: Core;
  readonly options: MeshOptions;
  readonly signal: AbortSignal;
  readonly sealFor: SealFor;
  /** What brings hosts a Node; made when it is asked for first */
  bringing(): Promise<Bringing>;
}

/** What one place keeps from one attempt to the next. */
export interface Attempts {
  /** Frames sent on trust, over a link of the controller's own */
  replay: ReplayPipe | undefined;
  attaching: Promise<NodeInfo> | undefined;
  /** The parent was told of the node */
  announced: boolean;
  /** The dial needs no place among the others any more */
  dialled(): void;
}

const HEARTBEAT_MS = 2000;
const DEAD_AFTER_MS = 8000;
const BOOT_TIMEOUT_MS = 30_000;

/** What may bring the place a Node: told to the node before it, too, which does it where the session is handed to that. */
export async function bringingTo(port: StartPort, place: Place, from: From): Promise<Bringing | undefined> {
  if (!place.hop.bring) return undefined;
  const bringing = await port.bringing();
  const carrier = from.type === "node" ? carrierOf(place, from.id) : undefined;
  if (carrier) bringing.allow(carrier);
  return bringing;
}

export function bootOrder(port: StartPort, place: Place, bringing: Bringing | undefined): BootOrder {
  const { options } = port;
  const bootTimeoutMs = options.bootTimeoutMs ?? BOOT_TIMEOUT_MS;
  return {
    id: place.id,
    name: place.name,
    nonce: randomBytes(8).toString("hex"),
    title: `mop ${place.starts} of ${options.operator}, run ${options.run}`,
    run: options.run,
    heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
    deadAfterMs: options.deadAfterMs ?? DEAD_AFTER_MS,
    bootTimeoutMs: bringing ? Math.max(BRING_MS, bootTimeoutMs) : bootTimeoutMs,
    ...(bringing ? { bringer: bringing.module } : {}),
  };
}

/** What the host is told of becoming another account; gets the password where it is not there yet. */
export async function elevationOf({ become }: Hop): Promise<Elevation | null> {
  if (!become) return null;
  const { password = "" } = become;
  const text = typeof password === "string" ? password : await password();
  return { secret: Buffer.from(text), words: become.method !== "sudo", sealed: false };
}

export const helloOf = (order: BootOrder) => ({
  protocol: PROTOCOL_VERSION,
  id: order.id,
  run: order.run,
  heartbeatMs: order.heartbeatMs,
  deadAfterMs: order.deadAfterMs,
});

/** The host whose node this is, which need not be the last one before the place: jumps may lie between. */
export function carrierOf(place: Place, id: number): Place | undefined {
  let at = place.parent;
  while (at && at.id !== id) at = at.parent;
  return at;
}

/** A boot command that runs, and what is needed to make a node of it. */
export interface Starting {
  readonly order: BootOrder;
  readonly elevation: Elevation | null;
  readonly first: Command;
  /** What may bring its host a Node, for which the command is run once more */
  readonly bring?: { readonly bringing: Bringing | undefined; readonly run: BringPort["run"] };
}

/** Boots over a command's stdio, brings its host a Node where that is allowed and needed, and joins the node as the controller's own child. */
export function startHere(
  port: StartPort,
  place: Place,
  { order, elevation, first, bring }: Starting,
  attempts: Attempts,
): Promise<NodeInfo> {
  const { onNotice } = port.options;
  const { nonce } = order;
  const held = place.hop.become !== undefined;
  const command = bring?.bringing?.here({ first, run: bring.run, name: place.name, nonce, held }) ?? first;
  const boot = bootOverPipe(command.pipe, {
    name: place.name,
    nonce,
    core: port.core.bytes,
    timeoutMs: order.bootTimeoutMs,
    elevation,
    onLine: (line) => onNotice?.(place.name, line),
  });
  boot.pipe.on("error", () => {});
  if (!attempts.replay) {
    attempts.replay = createReplayPipe();
    attempts.attaching = port.endpoint.attachChild(place.id, attempts.replay.pipe, helloOf(order));
    attempts.attaching.catch(() => {});
  }
  attempts.replay.use(boot.pipe);
  attempts.dialled();
  place.dispatched.resolve();
  command.onStderr(boot.stderr);
  return boot.booted.then(() => attempts.attaching!);
}
