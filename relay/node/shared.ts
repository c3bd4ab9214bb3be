/** What parts of the relay program (relay/runner) have from the core instead of in copies: tools/bundles.mjs sees to that. */
export { asMopError, MopError } from "../../transport/errors.js";
export { encodeProblem } from "../../transport/wire/problem.js";
export { decodeValue } from "../../transport/wire/value.js";
