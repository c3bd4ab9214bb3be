import { asMopError, MopError } from "../../transport/errors.js";
import type { Value } from "../../transport/types.js";
import { readNodeInfo } from "../../transport/wire/hello.js";
import { problemOf, problemValue } from "../../transport/wire/problem.js";
import { decodeValue, encodeValue } from "../../transport/wire/value.js";
import type { AdoptReport } from "../orders.js";
import { breach, UnreachableError } from "./unreachable.js";

/** What a node says of a session that it was handed, or of a command that it runs. */
export interface Reports {
  /** It is believed in nothing that has another form. Throws `broken`. */
  read(body: Uint8Array): AdoptReport;
  /** One could not be read: that is the fault of the carrier, not of the host behind it */
  readonly broken: UnreachableError | undefined;
}

/** Those of the node on `carrier`. */
export function reportsOf(carrier: string): Reports {
  let broken: UnreachableError | undefined;
  return {
    read(body) {
      try {
        return reportOf(body);
      } catch (error) {
        broken = new UnreachableError(carrier, breach(carrier, asMopError(error)));
        throw broken;
      }
    },
    get broken() {
      return broken;
    },
  };
}

function reportOf(body: Uint8Array): AdoptReport {
  const report = decodeValue(body);
  if (typeof report === "object" && report !== null && "type" in report) {
    const {
      type,
      info = null,
      problem = null,
      ended,
    } = report as { readonly [key: string]: Value | undefined };
    if (type === "authenticated") return { type };
    if (type === "up") return { type, info: readNodeInfo(encodeValue(info)) };
    if (type === "failed") return { type, problem: problemValue(problemOf(problem)), ended: ended === true };
  }
  throw new MopError("PROTOCOL", "The report on a handed-over session is malformed");
}
