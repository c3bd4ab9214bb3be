import { afterReading } from "../../transport/after-reading.js";
import { asMopError, type ErrorName, MopError } from "../../transport/errors.js";
import type { NodeInfo } from "../../transport/types.js";
import { problemOf } from "../../transport/wire/problem.js";
import type { AdoptReport, BootOrder } from "../orders.js";
import { auditHandOff } from "./audit.js";
import { keepLogin } from "./left.js";
import { deferred, type Place } from "./place.js";
import { type Attempts, carrierOf, type StartPort } from "./start.js";

/** A node that was handed a session says within the boot's own limit how it went; this much later it is not believed any more. */
const REPORT_LATE_MS = 15_000;

/** An order to a node to start a child and join it. */
export interface OrderBelow {
  /** Milliseconds for its first report; 0 = no limit but the boot's */
  readonly answerMs: number;
  /** Resolves when it is over and nothing more is reported. Never rejects. */
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
  place.told = up.promise.then(
    () => {},
    () => {},
  );
  if (!attempts.announced) {
    attempts.announced = true;
    port.endpoint.addNode(place.id, parent);
  }
  const { answerMs, closed, send, reset } = order();
  let answered = false;
  let hearAnswer = () => {};
  void closed.then((error) => up.reject(error ?? new MopError("NODE_GONE", "its parent ended the session")));
  const sending = send((report) => {
    answered = true;
    hearAnswer();
    login?.end();
    handed?.end();
    if (report.type === "authenticated") place.authenticated = true;
    else if (report.type === "up") up.resolve(report.info);
    else {
      const error = problemOf([...report.problem]);
      const { id, name } = place;
      const from = { type: "node", id: parent, name, handsOff: true, through: id } as const;
      const left = { from, closed, ended: report.ended, release: reset };
      if (!keepLogin(place, error, left)) reset();
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
    hearAnswer = afterReading(answerMs, () => {
      const text = `${carrier} doesn't say within ${answerMs / 1000} s whether ${place.name} took the login`;
      giveUp("CONNECT_TIMEOUT", text);
    });
  const hearEnd = afterReading(child.bootTimeoutMs + REPORT_LATE_MS, () =>
    giveUp("TIMEOUT", `${carrier} doesn't say what became of the session`),
  );
  return up.promise.finally(() => {
    hearAnswer();
    hearEnd();
  });
}
