import { ErrorCode, errorName, MopError } from "../errors.js";
import type { Value } from "../types.js";
import { MAX_ERROR_TEXT } from "./constants.js";
import { decodeValue, encodeValue } from "./value.js";

/** An error as the bodies of FAIL, RESET, BYE and GONE have it: `[code, message]`. */
export function problemValue(error: MopError): [number, string] {
  let text = error.message;
  // Cut by bytes: a frame with more would be refused.
  if (Buffer.byteLength(text) > MAX_ERROR_TEXT)
    text = Buffer.from(text)
      .subarray(0, MAX_ERROR_TEXT - 3)
      .toString("utf8");
  return [ErrorCode[error.code], text];
}

export const encodeProblem = (error: MopError): Buffer => encodeValue(problemValue(error));

export function problemOf(value: Value): MopError {
  if (!Array.isArray(value) || typeof value[0] !== "number" || typeof value[1] !== "string")
    return new MopError("PROTOCOL", "The other side sent an error that is none");
  return new MopError(errorName(value[0]), value[1]);
}

/** The error in a body. A body that holds none gives a MopError too (PROTOCOL). */
export function readProblem(body: Uint8Array): MopError {
  try {
    return problemOf(decodeValue(body));
  } catch (error) {
    return error instanceof MopError ? error : new MopError("PROTOCOL", String(error));
  }
}
