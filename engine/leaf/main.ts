import type { WingHost } from "../../relay/wing.js";
import type { Value } from "../../transport/types.js";
import { encodeValue } from "../../transport/wire/value.js";
import type { LeafOrder, LeafResult } from "../vocabulary/order.js";
import { Events, shortened } from "./events.js";
import { facade } from "./modules/facade.js";
import { ModuleLoader } from "./modules/loader.js";
import { SHARED } from "./modules/shared.js";
import { runCall } from "./orders/call.js";
import { runCommand } from "./orders/command.js";
import { runFacts } from "./orders/facts.js";
import { readOrder } from "./orders/read-order.js";
import { Children } from "./process/children.js";
import { eventConsole } from "./role/console.js";
import { messageOf } from "./role/position.js";
import { runRole } from "./role/run-role.js";
import { Secrets } from "./secrets.js";

/** From a cancelled run to the end of what it started, in ms */
const CANCEL_PATIENCE = 1500;
/** Characters of a result's texts: with three bytes each they fit */
const MAX_TEXT = 8 * 1024;

/** What this process does when it was started to work as another user (account/). */
export { serveAccount } from "./account/serve.js";

/** The leaf's wing: carries out the order that the controller sent, and says how it ended. */
export function start(host: WingHost): void {
  const children = new Children(host);
  const secrets = new Secrets();
  const events = new Events(host, secrets.masker);
  const console = eventConsole(events);
  const mop = facade(secrets.mark);
  const loader = new ModuleLoader(host, { mop }, console);
  const partLoader = new ModuleLoader(host, SHARED, console);
  let ended = false;
  let last = (): void => undefined;
  const atLast = (then: () => void): void => {
    last = then;
  };
  const end = (result: LeafResult): void => {
    if (ended) return;
    ended = true;
    children.killAll();
    if (result.kind === "reboot") last();
    host.done(encodeValue(resultValue(result, (text) => secrets.masker.mask(text))));
  };
  const carryOut = async (): Promise<LeafResult> => {
    const order: LeafOrder = readOrder(host.order);
    if (order.kind === "role")
      return runRole(order, { host, children, events, secrets, loader, partLoader, atLast });
    if (order.kind === "command") return runCommand(order, { children, events, signal: host.signal });
    if (order.kind === "facts") return runFacts(order, { host, children, loader: partLoader });
    await host.prefetch([order.module, ...Object.values(order.packages)]);
    return runCall(order, loader);
  };
  const cancelled: LeafResult = { kind: "error", message: "the run was cancelled", stack: null };
  const cancel = (): void => {
    // A role that computes or waits for something of its own is not waited for.
    setTimeout(() => end(cancelled), CANCEL_PATIENCE);
  };
  if (host.signal.aborted) {
    end(cancelled);
    return;
  }
  host.signal.addEventListener("abort", cancel, { once: true });
  void carryOut()
    .catch((error: unknown) => failure(error, host.signal.aborted))
    .then(async (result) => {
      await events.flushed();
      end(result);
    });
}

function failure(error: unknown, aborted: boolean): LeafResult {
  if (aborted) return { kind: "error", message: "the run was cancelled", stack: null };
  const stack = error instanceof Error && error.stack ? error.stack : null;
  return { kind: "error", message: messageOf(error), stack };
}

function resultValue(result: LeafResult, mask: (text: string) => string): Value {
  const safe = (text: string | null): string | null =>
    text === null ? null : shortened(mask(text), MAX_TEXT);
  switch (result.kind) {
    case "role":
      return { ...result, error: safe(result.error) };
    case "error":
      return { kind: result.kind, message: safe(result.message), stack: safe(result.stack) };
    default:
      return { ...result };
  }
}
