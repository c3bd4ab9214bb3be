import os from "node:os";
import path from "node:path";
import { LOGIN_METHODS, type LoginMethod } from "../../../transport/ssh/types.js";
import type { AllowedAlgorithms, SshSettings } from "./ssh-settings.js";
import { expandFile, expandWay, type TokenValues } from "./ssh-tokens.js";

/** What `ssh -G` printed of the host that was asked for by `original`: "keyword value" lines, keywords in lower case. */
export function readSettings(text: string, original: string): SshSettings {
  const values = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const space = line.indexOf(" ");
    if (space <= 0) continue;
    const keyword = line.slice(0, space);
    values.set(keyword, [...(values.get(keyword) ?? []), line.slice(space + 1).trim()]);
  }
  const all = (keyword: string): readonly string[] => values.get(keyword) ?? [];
  const one = (keyword: string): string | undefined => unlessNone(values.get(keyword)?.[0]);
  const tokens: TokenValues = {
    original,
    host: one("hostname") ?? original,
    port: one("port") ?? "22",
    user: one("user") ?? "",
    alias: one("hostkeyalias"),
  };
  const files = (keyword: string): string[] | undefined =>
    values.get(keyword)?.flatMap((file) => home(expandFile(file, tokens)));
  const way = (keyword: string): string | undefined => {
    const said = one(keyword);
    return said === undefined ? undefined : expandWay(said, tokens);
  };
  return {
    hostName: one("hostname"),
    port: count(one("port")),
    user: one("user"),
    identityFiles: files("identityfile"),
    certificateFiles: files("certificatefile"),
    identitiesOnly: flag(one("identitiesonly")),
    proxyJump: way("proxyjump"),
    proxyCommand: way("proxycommand"),
    hostKeyAlias: tokens.alias,
    knownHostsFiles: knownHostsFiles(values),
    revokedKeysFile: home(one("revokedhostkeys"))[0],
    hostKeys: hostKeys(one("stricthostkeychecking")),
    hashKnownHosts: flag(one("hashknownhosts")),
    trustsLoopback: flag(one("nohostauthenticationforlocalhost")),
    connectTimeoutMs: seconds(one("connecttimeout")),
    keepaliveMs: seconds(one("serveraliveinterval")),
    identityAgent: identityAgent(values.get("identityagent")?.[0], tokens),
    bindAddress: one("bindaddress"),
    family: ({ inet: 4, inet6: 6 } as const)[one("addressfamily") ?? ""],
    algorithms: algorithms(one),
    methods: methods(one),
    passwordTries: count(one("numberofpasswordprompts")),
    batch: flag(one("batchmode")),
    leastRsaBits: count(one("requiredrsasize")),
    unheeded: {
      hostKey: [
        ...told("KnownHostsCommand", all("knownhostscommand")),
        ...told("VerifyHostKeyDNS", isOn(one("verifyhostkeydns"))),
      ],
      login: [
        ...told("PKCS11Provider", all("pkcs11provider")),
        ...told("HostbasedAuthentication", isOn(one("hostbasedauthentication"))),
      ],
    },
    refusals: {
      proxied: flag(one("proxyusefdpass"))
        ? "ProxyUseFdpass, where the command hands over a socket, which mop can't take; a ProxyCommand without it, or ProxyJump, can be used"
        : undefined,
      direct: one("bindinterface")
        ? `BindInterface ${one("bindinterface")}, which mop can't do; BindAddress with that interface's address can be used`
        : undefined,
    },
  };
}

const unlessNone = (text: string | undefined) => (text?.toLowerCase() === "none" ? undefined : text);
const told = (option: string, values: readonly string[]): string[] =>
  values.filter((value) => value !== "none").map((value) => `${option} ${value}`);
const isOn = (text: string | undefined): string[] =>
  text === undefined || text === "no" || text === "false" ? [] : [text === "true" ? "yes" : text];

function hostKeys(text: string | undefined): SshSettings["hostKeys"] {
  if (text === "accept-new") return "accept-new";
  if (text === "false" || text === "no" || text === "off") return "off";
  return text === "true" || text === "yes" ? "strict" : undefined;
}

function identityAgent(text: string | undefined, tokens: TokenValues): string | undefined {
  if (text === undefined || text === "SSH_AUTH_SOCK") return undefined;
  // "$VAR" is a variable's name; "${VAR}/..." a path with one in it
  if (/^\$[^{]/.test(text)) return process.env[text.slice(1)] ?? "none";
  return home(expandFile(text, tokens))[0] ?? "none";
}

/** As OpenSSH has them: what is preferred and not switched off; undefined where nothing is said. */
function methods(one: (keyword: string) => string | undefined): SshSettings["methods"] {
  const off = (keyword: string) => ["no", "false"].includes(one(keyword) ?? "");
  const preferred = one("preferredauthentications")?.split(",");
  const switchedOff: readonly (LoginMethod | undefined)[] = [
    off("pubkeyauthentication") ? "publickey" : undefined,
    off("kbdinteractiveauthentication") || off("challengeresponseauthentication")
      ? "keyboard-interactive"
      : undefined,
    off("passwordauthentication") ? "password" : undefined,
  ];
  if (preferred === undefined && switchedOff.every((method) => method === undefined)) return undefined;
  const order =
    preferred?.flatMap((name) => LOGIN_METHODS.find((method) => method === name) ?? []) ?? LOGIN_METHODS;
  return order.filter((method) => !switchedOff.includes(method));
}

function algorithms(one: (keyword: string) => string | undefined): AllowedAlgorithms {
  const list = (...keywords: string[]) =>
    keywords
      .map(one)
      .find((text) => text !== undefined)
      ?.split(",");
  return {
    kex: list("kexalgorithms"),
    cipher: list("ciphers"),
    hmac: list("macs"),
    serverHostKey: list("hostkeyalgorithms"),
    userKey: list("pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes"),
  };
}

const flag = (text: string | undefined) =>
  text === undefined ? undefined : text === "yes" || text === "true";
const count = (text: string | undefined) =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
const seconds = (text: string | undefined) => {
  const value = count(text);
  return value === undefined || value === 0 ? undefined : value * 1000;
};

/** The user's own come first: new keys are written to the first one, which must not be the system's. */
function knownHostsFiles(values: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const user = values.get("userknownhostsfile")?.flatMap(words).flatMap(home);
  const system = values.get("globalknownhostsfile")?.flatMap(words).flatMap(home) ?? [];
  if (user?.length === 0) return ["/dev/null", ...system];
  return user ? [...user, ...system] : values.has("globalknownhostsfile") ? system : undefined;
}

/**
 * Several files stand in one line, without the quotes that they were written with: a space divides where a path from the
 * root follows.
 */
const words = (text: string): string[] =>
  /^[/~]/.test(text) ? text.split(/\s+(?=[/~])/) : text.split(/\s+/);

/** "none" is no file; `~` is ours to expand. */
const home = (file: string | undefined): string[] => {
  if (file === undefined || file === "none" || file === "") return [];
  return [file === "~" || file.startsWith("~/") ? path.join(os.homedir(), file.slice(1)) : file];
};
