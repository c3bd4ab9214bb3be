import { PolicyError } from "../policy-error.js";

export interface HopName {
  readonly user: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
}

/** `[user@]host[:port]`, `[user@][v6]:port`, an IPv6 address alone, or `ssh://user@host:port`. */
export function parseHopName(text: string, where: string): HopName {
  const plain = text.replace(/^ssh:\/\//, "").replace(/\/$/, "");
  const at = plain.lastIndexOf("@");
  const user = at > 0 ? plain.slice(0, at) : undefined;
  const rest = plain.slice(at + 1);
  const match = /^\[([^\]]+)\](?::(\d+))?$/.exec(rest) ?? /^([^:]+)(?::(\d+))?$/.exec(rest);
  const host = match ? match[1]! : rest;
  const isV6 = !match && /^[0-9a-fA-F:.%]+$/.test(rest);
  const port = match?.[2] === undefined ? undefined : Number(match[2]);
  const bad =
    host === "" ||
    at === 0 ||
    (!match && !isV6) ||
    host.startsWith("-") ||
    /[\s\0-\x1f\x7f'"`$;|&<>(){}\\]/.test(plain) ||
    (port !== undefined && (port < 1 || port > 65535));
  if (bad) throw new PolicyError(`${where}: ${JSON.stringify(text)} is no host; write [user@]host[:port]`);
  return { user, host, port };
}
