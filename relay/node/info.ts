import os from "node:os";
import type { NodeInfo } from "../../transport/types.js";
import { PROTOCOL_VERSION } from "../../transport/wire/constants.js";

/** What this process tells its parent of itself. */
export function nodeInfo(key: Uint8Array): NodeInfo {
  const uid = process.getuid?.() ?? -1;
  return {
    protocol: PROTOCOL_VERSION,
    runtime: process.version,
    platform: process.platform,
    arch: process.arch,
    pid: process.pid,
    uid,
    user: userName(uid),
    hostname: os.hostname(),
    key,
  };
}

/** An account without an entry in the user database has no name. */
function userName(uid: number): string {
  try {
    return os.userInfo().username;
  } catch {
    return String(uid);
  }
}
