/**
 * Values as they stand in frames and messages. Everything that travels goes through these two, so that what one
 * node may send is what another takes (docs/protocol.md says why the codec is our own).
 */
export { decode as decodeValue, encode as encodeValue } from "./cbor.js";
