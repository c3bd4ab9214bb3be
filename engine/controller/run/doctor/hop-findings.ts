import type { Hop } from "../../../../relay/mesh/types.js";
import type { ErrorName, MopError } from "../../../../transport/errors.js";
import { plain } from "../../../../transport/ssh/plain.js";
import type { NodeInfo } from "../../../../transport/types.js";
import type { CheckName, Finding } from "./findings.js";
import type { LoginNotes } from "./login-notes.js";
import type { Probe } from "./probe.js";

/** Below this a core, a file or a log may not fit any more. */
const LITTLE_KB = 50 * 1024;
/** Seconds by which a clock may differ before make, TLS and logs mind. */
const SKEW_S = 5;

/** Which step a failure belongs to, where its code tells. */
const STEPS: { readonly [code in ErrorName]?: CheckName } = {
  NAME_NOT_FOUND: "name",
  CONNECT_REFUSED: "tcp",
  CONNECT_TIMEOUT: "tcp",
  CONNECT_UNREACHABLE: "tcp",
  SSH_CHANNEL_REFUSED: "tcp",
  FORWARDING_REFUSED: "tcp",
  HOST_KEY_UNKNOWN: "host key",
  HOST_KEY_CHANGED: "host key",
  HOST_KEY_REVOKED: "host key",
  AUTH_REFUSED: "login",
  KEY_UNREADABLE: "login",
  NO_NODE: "node",
  NODE_TOO_OLD: "node",
  BOOT_FAILED: "node",
  CORE_CORRUPT: "node",
};

/** What was met up to the end of the login, or of a failure on the way there; a failure is the last one. */
export async function loginFindings(
  { target, kind }: Hop,
  notes: LoginNotes,
  isFirst: boolean,
  error: MopError | undefined,
): Promise<Finding[]> {
  const found: Finding[] = [];
  const tell = (check: CheckName, text: string, status: Finding["status"] = "ok") =>
    found.push({ hop: target.name, check, status, text });
  if (kind === "local") {
    if (error) tell("node", error.message, "failed");
    return found;
  }
  const { connection } = notes;
  const place = `${target.address.includes(":") ? `[${target.address}]` : target.address}:${target.port}`;
  if (isFirst && notes.addresses && notes.addresses.length > 0)
    tell("name", `${target.address} is ${notes.addresses.join(", ")}`);
  if (notes.connectMs !== undefined) tell("tcp", `${place} answers in ${notes.connectMs.toFixed(1)} ms`);
  else if (connection?.serverIdent) {
    const by =
      target.proxyCommand === undefined
        ? "the hop before it"
        : `its ProxyCommand (${plain(target.proxyCommand)})`;
    tell("tcp", `${by} reaches ${place}`);
  }
  if (connection?.serverIdent) tell("identification", plain(connection.serverIdent));
  const { negotiated } = connection ?? {};
  if (negotiated) {
    const { kex, serverHostKey, cs } = negotiated;
    const mac = cs.mac ? `, ${cs.mac}` : "";
    tell("algorithms", `${kex}, ${serverHostKey}, ${cs.cipher}${mac}`);
  }
  const key = await notes.hostKey(target);
  if (key) tell("host key", key, target.hostKeys === "off" ? "hint" : "ok");
  if (notes.offered) tell("login", `the server takes ${plain(notes.offered.join(", ")) || "nothing more"}`);
  for (const tried of notes.tried) tell("login", `${target.user} by ${plain(tried)}`);
  if (notes.noise !== undefined)
    tell("shell", notes.noise === "" ? "says nothing by itself" : `says by itself: ${notes.noise}`);
  if (error) tell(STEPS[error.code] ?? (connection ? "login" : "tcp"), error.message, "failed");
  return found;
}

/** What a node that runs there says of its host. */
export function nodeFindings(hop: string, info: NodeInfo, { node, aheadS, freeKb }: Probe): Finding[] {
  const found: Finding[] = [
    {
      hop,
      check: "node",
      status: "ok",
      text: `${plain(info.runtime)} for ${plain(info.platform)} ${plain(info.arch)}${node ? ` in ${plain(node)}` : ""}, as ${plain(info.user)}`,
    },
  ];
  if (aheadS !== undefined) {
    const off = Math.abs(aheadS);
    const text =
      off <= 1
        ? "agrees with this machine's"
        : `is ${off} s ${aheadS > 0 ? "ahead of" : "behind"} this machine's${off > SKEW_S ? "; have it set by NTP" : ""}`;
    found.push({ hop, check: "clock", status: off > SKEW_S ? "hint" : "ok", text: `its clock ${text}` });
  }
  for (const [folder, kb] of freeKb) {
    const little = kb < LITTLE_KB;
    found.push({
      hop,
      check: "disk",
      status: little ? "hint" : "ok",
      text: `${Math.round(kb / 1024)} MB are free in ${plain(folder)}${little ? "; make room there" : ""}`,
    });
  }
  return found;
}

export function linkFindings(
  hop: string,
  last: { readonly from: string; readonly ms: number } | undefined,
  { bytesPerS }: Probe,
): Finding[] {
  if (!last) return [];
  const rate =
    bytesPerS === undefined ? "" : `, about ${Math.round(bytesPerS / 1024)} kB/s from there to here`;
  return [
    {
      hop,
      check: "link",
      status: "ok",
      text: `round trip ${last.ms.toFixed(1)} ms from ${last.from}${rate}`,
    },
  ];
}
