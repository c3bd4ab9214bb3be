import { asMopError, MopError } from "../../transport/errors.js";
import type { Value } from "../../transport/types.js";
import { readNodeInfo } from "../../transport/wire/hello.js";
import { problemOf, problemValue } from "../../transport/wire/problem.js";
import { decodeValue, encodeValue } from "../../transport/wire/value.js";
import type { AdoptReport } from "../orders.js";
import { breach, UnreachableError } from "./unreachable.js";

/**
 * What the node on `carrier` says of a session that it was handed: it is believed in nothing that has another form. Throws
 * UnreachableError of the carrier, whose fault that is, not that of the host behind it.
 */
export function readAdoptReport(body: Uint8Array, carrier: string): AdoptReport {
  try {
    return reportOf(body);
  } catch (error) {
    throw new UnreachableError(carrier, breach(carrier, asMopError(error)));
  }
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
