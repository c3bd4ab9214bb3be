import { afterReading } from "../../transport/after-reading.js";
import { asMopError, MopError } from "../../transport/errors.js";
import type { SessionState } from "../../transport/session-state.js";
import type { LoginPace, SshSession } from "../../transport/ssh/types.js";
import type { NodeInfo } from "../../transport/types.js";
import { commandFor } from "../boot/core.js";
import type { AdoptOrder, BootOrder } from "../orders.js";
import type { Command } from "../runtime/types.js";
import { type Audited, auditLogin } from "./audit.js";
import type { Bringing } from "./bringing.js";
import { joinedBelow } from "./join-below.js";
import type { Place } from "./place.js";
import { type Attempts, bootOrder, bringingTo, elevationOf, type StartPort, startHere } from "./start.js";
import { type From, openWay, type Way } from "./ways.js";

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
  const exec = (command: string) => answered(place, order, execOn(session, command, become !== undefined));
  const bring = { bringing, run: (edit: (word: string) => string) => exec(edit(text)) };
  const up = startHere(port, place, { order, elevation, first: await exec(text), bring }, attempts);
  return Promise.race([up, session.authenticated.then(() => up)]);
}

/** A server that let us in, or whoever stands before it, may still not answer when asked for a command. */
async function answered<T>(place: Place, { bootTimeoutMs }: BootOrder, starting: Promise<T>): Promise<T> {
  const ms = place.hop.target.connectTimeoutMs || bootTimeoutMs;
  let inTime = () => {};
  const late = new Promise<never>((_resolve, reject) => {
    const text = `${place.name} didn't answer within ${ms / 1000} s (waiting for the command's start)`;
    inTime = afterReading(ms, () => reject(new MopError("CONNECT_TIMEOUT", text)));
  });
  return Promise.race([starting, late]).finally(inTime);
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
