import { MopError } from "../errors.js";
import {
  type DirectionState,
  HANDOFF_CIPHERS,
  HANDOFF_HOST_KEYS,
  HANDOFF_KEX,
  HANDOFF_MACS,
  type SessionState,
} from "../session-state.js";
import type { Dialled } from "./dial.js";
import { type CoderRecord, nextIv } from "./library.js";

const among = <T extends string>(list: readonly T[], name: string): T | undefined =>
  list.find((item) => item === name);

/**
 * Takes a session out of this process, behind everything that was written. Keys under which a password or an answer
 * to a question has crossed are changed first: whoever carries the session on, and may have recorded it so far, must
 * not read those.
 */
export async function exportSession({ connection, auth, authenticated }: Dialled): Promise<SessionState> {
  const { target, core, negotiated } = connection;
  const impossible = (why: string) =>
    new MopError("HANDOFF_IMPOSSIBLE", `the session with ${target.name} can't be handed over: ${why}`);
  if (connection.ended) throw connection.reason();
  if (!negotiated || !connection.verifier.pinned) throw impossible("its keys are not agreed on yet");
  if (connection.channels > 0) throw impossible("channels are open in it");
  if (!among(HANDOFF_KEX, negotiated.kex))
    throw impossible(`a relay can't renew keys with ${negotiated.kex}`);
  const hostKeyAlgorithm = among(HANDOFF_HOST_KEYS, negotiated.serverHostKey);
  if (!hostKeyAlgorithm) throw impossible(`a relay can't check ${negotiated.serverHostKey} host keys`);
  if (auth.secretSent) {
    await authenticated;
    await connection.rekey();
  } else if (core.exchanging) await connection.settled();
  // The server may have ended it with the very bytes that brought the new keys
  if (connection.ended) throw connection.reason();
  const state = core.state();
  const outbound = direction(state.outbound, negotiated.cs);
  const inbound = direction(state.inbound, negotiated.sc);
  if (!outbound || !inbound)
    throw impossible(`a relay doesn't speak ${negotiated.cs.cipher} with ${negotiated.cs.mac}`);
  const phase = connection.inSession ? "authenticated" : "authenticating";
  const { consumed } = connection;
  connection.release();
  const { sessionId, clientIdent, serverIdent, strict } = state;
  const hostKey = connection.verifier.pinned;
  const rekey = {
    sessionId,
    clientIdent,
    serverIdent,
    hostKey,
    kex: negotiated.kex,
    hostKeyAlgorithm,
    strict,
  };
  return { version: 1, outbound, inbound, rekey, consumed, phase };
}

function direction(
  { record, sequence }: { readonly record: CoderRecord; readonly sequence: number },
  names: { readonly cipher: string; readonly mac: string },
): DirectionState | undefined {
  const cipher = among(HANDOFF_CIPHERS, names.cipher);
  const mac = record.mac ? among(HANDOFF_MACS, names.mac) : null;
  if (!cipher || mac === undefined) return undefined;
  const macKey = record.mac ? record.mac.key : null;
  return { cipher, key: record.key, iv: nextIv(record), mac, macKey, sequence, bytes: record.bytes };
}
