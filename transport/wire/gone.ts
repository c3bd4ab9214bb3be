import { MopError } from "../errors.js";
import type { NodeId } from "../types.js";
import { problemOf, problemValue } from "./problem.js";
import { decodeValue, encodeValue } from "./value.js";

/** The body of GONE: which node is over, and why. */
export const encodeGone = (id: NodeId, error: MopError): Buffer => encodeValue([id, ...problemValue(error)]);

/** Throws MopError (PROTOCOL). */
export function readGone(body: Uint8Array): { readonly id: NodeId; readonly error: MopError } {
  const value = decodeValue(body);
  if (!Array.isArray(value) || typeof value[0] !== "number")
    throw new MopError("PROTOCOL", "A GONE is [node, code, message]");
  return { id: value[0], error: problemOf(value.slice(1)) };
}
