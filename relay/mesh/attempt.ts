import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { asMopError, type ErrorName, MopError } from "../../transport/errors.js";
import type { SessionState } from "../../transport/session-state.js";
import type { Login, LoginPace, SshSession } from "../../transport/ssh/types.js";
import type { Endpoint, NodeInfo } from "../../transport/types.js";
import { PROTOCOL_VERSION } from "../../transport/wire/constants.js";
import { problemOf } from "../../transport/wire/problem.js";
import { bootOverPipe } from "../boot/boot.js";
import { type Core, commandFor } from "../boot/core.js";
import type { AdoptOrder, AdoptReport, BootOrder, Elevation } from "../orders.js";
import type { BringPort, Command } from "../runtime/types.js";
import { type Audited, auditHandOff, auditLogin } from "./audit.js";
import { BRING_MS, type Bringing } from "./bringing.js";
import { keepLogin } from "./left.js";
import { deferred, type Place } from "./place.js";
import { createReplayPipe, type ReplayPipe } from "./replay-pipe.js";
import type { SealFor } from "./seal.js";
import type { Hop, MeshOptions } from "./types.js";
import { type From, openWay, type Way, type WayPort } from "./ways.js";

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
/** A node that was handed a session says within the boot's own limit how it went; this much later it is not believed any more. */
const REPORT_LATE_MS = 15_000;

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

/** Logs in at the place's host, over a way that is left in `place.way`. */
export async function logIn(port: StartPort, place: Place, from: From, pace: LoginPace): Promise<SshSession> {
  const { target } = place.hop;
  const { prompter } = port.options;
  const audited = auditLogin(port.options.onAudit, place, pace);
  place.login = audited;
  place.way = undefined;
  const openPipe = async () => {
    const way = await openWay(port, from, target, port.signal);
    place.way = way;
    return way.pipe;
  };
  try {
    const session = await port.login(openPipe, target, {
      pace,
      signal: port.signal,
      ...(prompter ? { prompter } : {}),
    });
    audited.proof = session.proof;
    // Where the session is handed over, its answer comes to somebody else
    if (from.type !== "node" || !from.handsOff) follow(audited, session);
    return session;
  } catch (error) {
    // A connection that was never made shows as an end of the pipe to the login
    const cause = (await wayOf(place)?.failure()) ?? error;
    audited.end(asMopError(cause));
    throw cause;
  }
}

const follow = (audited: Audited | undefined, { authenticated }: SshSession): void =>
  void authenticated.then(
    () => audited?.end(),
    (error: Error) => audited?.end(error),
  );

/** Read through a function, since a callback sets it. */
const wayOf = (place: Place): Way | undefined => place.way;

/** One try at starting a node at the place; resolves when it said hello. */
export async function attemptNode(
  port: StartPort,
  place: Place,
  from: From,
  pace: LoginPace,
  attempts: Attempts,
): Promise<NodeInfo> {
  const elevation = await elevationOf(place.hop);
  const bringing = await bringingTo(port, place, from);
  const session = await logIn(port, place, from, pace);
  const way = place.way;
  if (from.type === "node" && way?.channel) {
    const state = await exported(session).catch((error: Error) => {
      place.login?.end(error);
      throw error;
    });
    if (state) {
      const given = { session: state, elevation };
      return handOver(port, place, from.id, way, given, attempts, bringing);
    }
    if (attempts.announced)
      throw new MopError("HANDOFF_IMPOSSIBLE", "the session can't be handed over at the second login");
  }
  follow(place.login, session);
  place.session = session;
  const order = bootOrder(port, place, bringing);
  void session.authenticated.then(
    () => {
      place.authenticated = true;
    },
    () => {},
  );
  const { node, become } = place.hop;
  const text = commandFor(port.core, order, node, become, bringing?.runtimes);
  const exec = (command: string) => inTime(place, order, execOn(session, command, become !== undefined));
  const command = bringHere(bringing, { place, order }, await exec(text), (edit) => exec(edit(text)));
  const started = startHere(port, place, { order, elevation }, command.pipe, attempts);
  command.onStderr(started.stderr);
  return Promise.race([started.up, session.authenticated.then(() => started.up)]);
}

/** A server that let us in, or whoever stands before it, may still not answer when asked for a command. */
async function inTime<T>(place: Place, { bootTimeoutMs }: BootOrder, starting: Promise<T>): Promise<T> {
  const ms = place.hop.target.connectTimeoutMs || bootTimeoutMs;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const text = `${place.name} didn't answer within ${ms / 1000} s (waiting for the command's start)`;
    timer = setTimeout(() => reject(new MopError("CONNECT_TIMEOUT", text)), ms);
  });
  return Promise.race([starting, late]).finally(() => clearTimeout(timer));
}

/** A command over a session that ends here. */
async function execOn(session: SshSession, text: string, tty: boolean): Promise<Command> {
  let take = (_chunk: Buffer) => {};
  const pipe = await session.exec(text, (chunk) => take(chunk), tty);
  return {
    pipe,
    exit: new Promise((resolve) => pipe.once("close", resolve)),
    onStderr: (to) => {
      take = to;
    },
  };
}

/** The boot command `first`, with a Node brought to its host where that is allowed and needed. */
export function bringHere(
  bringing: Bringing | undefined,
  { place, order }: { readonly place: Place; readonly order: BootOrder },
  first: Command,
  run: BringPort["run"],
): Command {
  const { nonce } = order;
  return (
    bringing?.here({ first, run, name: place.name, nonce, held: place.hop.become !== undefined }) ?? first
  );
}

/** The session's state, or undefined where it has to stay with us. */
async function exported(session: SshSession): Promise<SessionState | undefined> {
  try {
    return await session.handOff();
  } catch (error) {
    if (error instanceof MopError && error.code === "HANDOFF_IMPOSSIBLE") return undefined;
    throw error;
  }
}

/** The parent carries the session on and starts the node. */
async function handOver(
  port: StartPort,
  place: Place,
  parent: number,
  way: Way,
  given: Pick<AdoptOrder, "session" | "elevation">,
  attempts: Attempts,
  bringing: Bringing | undefined,
): Promise<NodeInfo> {
  const channel = way.channel!;
  const child = bootOrder(port, place, bringing);
  const { node, become } = place.hop;
  const command = commandFor(port.core, child, node, become, bringing?.runtimes);
  return joinedBelow(port, place, parent, child, attempts, () => ({
    answerMs: place.hop.target.connectTimeoutMs,
    closed: channel.closed,
    reset: () => channel.reset(),
    send: (report) => channel.adopt({ type: "adopt", ...given, command, child }, report),
  }));
}

/** An order to a node to start a child and join it. */
export interface OrderBelow {
  /** Milliseconds for its first report; 0 = no limit but the boot's */
  readonly answerMs: number;
  readonly closed: Promise<MopError | undefined>;
  send(report: (report: AdoptReport) => void): Promise<void>;
  reset(): void;
}

/** Announces the place below its parent, sends the order, and resolves with what the parent says of the node. */
export async function joinedBelow(
  port: StartPort,
  place: Place,
  parent: number,
  child: BootOrder,
  attempts: Attempts,
  order: () => OrderBelow,
): Promise<NodeInfo> {
  const up = deferred<NodeInfo>();
  const { login } = place;
  const carrier = carrierOf(place, parent)?.name ?? "";
  const handed = login && auditHandOff(port.options.onAudit, place, carrier);
  up.promise.catch((error: Error) => {
    login?.end(error);
    // A relay that tells of a refused login took the session and carried it on
    handed?.end(asMopError(error).code === "AUTH_REFUSED" ? undefined : error);
  });
  place.linkTo = parent;
  if (!attempts.announced) {
    attempts.announced = true;
    port.endpoint.addNode(place.id, parent);
  }
  const { answerMs, closed, send, reset } = order();
  let answered = false;
  let answer: NodeJS.Timeout | undefined;
  void closed.then((error) => up.reject(error ?? new MopError("NODE_GONE", "its parent ended the session")));
  const sending = send((report) => {
    answered = true;
    clearTimeout(answer);
    login?.end();
    handed?.end();
    if (report.type === "authenticated") place.authenticated = true;
    else if (report.type === "up") up.resolve(report.info);
    else {
      const error = problemOf([...report.problem]);
      const { id, name } = place;
      const from = { type: "node", id: parent, name, handsOff: true, through: id } as const;
      if (!keepLogin(place, error, { from, closed, release: reset })) reset();
      up.reject(error);
    }
  });
  await sending.catch((error: Error) => {
    up.reject(error);
    throw error;
  });
  attempts.dialled();
  place.dispatched.resolve();
  const giveUp = (code: ErrorName, text: string) => {
    up.reject(new MopError(code, text));
    reset();
  };
  if (answerMs > 0 && !answered)
    answer = setTimeout(() => {
      const text = `${carrier} doesn't say within ${answerMs / 1000} s whether ${place.name} took the login`;
      giveUp("CONNECT_TIMEOUT", text);
    }, answerMs);
  const timer = setTimeout(
    () => giveUp("TIMEOUT", `${carrier} doesn't say what became of the session`),
    child.bootTimeoutMs + REPORT_LATE_MS,
  );
  return up.promise.finally(() => {
    clearTimeout(answer);
    clearTimeout(timer);
  });
}

/** The host whose node this is, which need not be the last one before the place: jumps may lie between. */
function carrierOf(place: Place, id: number): Place | undefined {
  let at = place.parent;
  while (at && at.id !== id) at = at.parent;
  return at;
}

/** Boots over a command's stdio and joins the node as the controller's own child. */
export function startHere(
  port: StartPort,
  place: Place,
  { order, elevation }: { readonly order: BootOrder; readonly elevation: Elevation | null },
  stdio: Duplex,
  attempts: Attempts,
): { up: Promise<NodeInfo>; stderr(chunk: Uint8Array): void } {
  const { onNotice } = port.options;
  const boot = bootOverPipe(stdio, {
    name: place.name,
    nonce: order.nonce,
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
  return { up: boot.booted.then(() => attempts.attaching!), stderr: boot.stderr };
}
