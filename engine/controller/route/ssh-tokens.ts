import { createHash } from "node:crypto";
import os from "node:os";

/** What `ssh -G` says of a host that tokens stand for (ssh_config, "TOKENS"). */
export interface TokenValues {
  /** The name that was asked for */
  readonly original: string;
  readonly host: string;
  readonly port: string;
  readonly user: string;
  readonly alias: string | undefined;
}

/** Files and sockets; `ssh -G` prints these as they were written. */
const FILE_TOKENS = "CdhikLlnpru";
/** ProxyCommand and ProxyJump. */
const WAY_TOKENS = "hnpr";

function meaningOf(token: string, { original, host, port, user, alias }: TokenValues): string {
  const local = os.hostname();
  switch (token) {
    case "C":
      return createHash("sha1").update(`${local}${host}${port}${user}`).digest("hex");
    case "d":
      return os.homedir();
    case "h":
      return host;
    case "i":
      return String(process.getuid?.() ?? "");
    case "k":
      return alias ?? original;
    case "L":
      return local.split(".")[0]!;
    case "l":
      return local;
    case "n":
      return original;
    case "p":
      return port;
    case "r":
      return user;
    default:
      return os.userInfo().username;
  }
}

/** Tokens that an option doesn't have stay as they are. */
const expand = (text: string, tokens: string, values: TokenValues): string =>
  text.replace(/%(.)/g, (all, token: string) =>
    token === "%" ? "%" : tokens.includes(token) ? meaningOf(token, values) : all,
  );

/** A way's text, which a shell or a list of hops is made of. */
export const expandWay = (text: string, values: TokenValues): string => expand(text, WAY_TOKENS, values);

/** A file's name with its tokens and `${VARIABLES}`; undefined where a variable isn't there: ssh ignores it then. */
export function expandFile(text: string, values: TokenValues): string | undefined {
  let missing = false;
  const told = text.replace(/\$\{([^}]*)\}/g, (_all, name: string) => {
    const value = process.env[name];
    missing ||= value === undefined;
    // Its value is no place for tokens
    return (value ?? "").replaceAll("%", "%%");
  });
  return missing ? undefined : expand(told, FILE_TOKENS, values);
}
