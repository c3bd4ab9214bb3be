import { PLATFORMS, type PlatformName } from "../../engine/controller/runtimes/platforms.js";
import { BASTION_KINDS, type BastionKind } from "../../relay/mesh/types.js";
import type { HostKeyPolicy, LoginPace } from "../../transport/ssh/types.js";

/** A file with a Node for a platform. */
type RuntimeKey = `runtime ${PlatformName}`;

/** What defaults.toml says, where command line and inventory are silent. */
export interface Defaults extends Readonly<Partial<Record<RuntimeKey, string>>> {
  readonly user?: string;
  readonly password?: string;
  readonly identity?: string;
  readonly hostKeys?: HostKeyPolicy;
  readonly knownHosts?: string;
  /** Seconds */
  readonly connectTimeout?: number;
  readonly becomeUser?: string;
  readonly becomeMethod?: "sudo" | "su" | "doas";
  readonly becomePassword?: string;
  readonly hop?: BastionKind | "auto";
  readonly pace?: LoginPace;
  /** Path of the leaves' logs */
  readonly log?: string;
  readonly logEnabled?: boolean;
  /** Path of the controller's audit log */
  readonly audit?: string;
  readonly auditEnabled?: boolean;
}

export interface Key {
  readonly gives: keyof Defaults;
  /** What its value must be, for the error */
  readonly expected: string;
  /** Worth hiding from others */
  readonly secret?: boolean;
  /** undefined: it is no such value */
  read(value: unknown): unknown;
}

const isText = (value: unknown): value is string => typeof value === "string" && !/[\0-\x1f\x7f]/.test(value);

const name = (gives: keyof Defaults): Key => ({
  gives,
  expected: "a name",
  read: (value) => (isText(value) && !/^-|\s/.test(value) ? value : undefined),
});

const password = (gives: keyof Defaults): Key => ({
  gives,
  secret: true,
  expected: "a text without control characters",
  read: (value) => (isText(value) ? value : undefined),
});

/** Relative ones would mean another file in each folder that mop is called in. */
const file = (gives: keyof Defaults): Key => ({
  gives,
  expected: "a path that begins with / or ~/",
  read: (value) => (isText(value) && /^~?\//.test(value) ? value : undefined),
});

const choice = (gives: keyof Defaults, choices: Readonly<Record<string, unknown>>): Key => ({
  gives,
  expected: `one of ${Object.keys(choices).join(", ")}`,
  read: (value) => (Object.hasOwn(choices, String(value)) ? choices[String(value)] : undefined),
});

const these = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, name]));

/** By section and name. Those of [ssh] username, password, check_host_keys, of [sudo] and [log] path are OpsMop's. */
export const KEYS: Readonly<Record<string, Key>> = {
  "[ssh] username": name("user"),
  "[ssh] password": password("password"),
  // OpsMop's words are Mitogen's: enforce, accept, ignore
  "[ssh] check_host_keys": choice("hostKeys", {
    true: "strict",
    false: "off",
    enforce: "strict",
    accept: "accept-new",
    ignore: "off",
  }),
  "[ssh] host_keys": choice("hostKeys", these("strict", "accept-new", "off")),
  "[ssh] identity": file("identity"),
  "[ssh] known_hosts": file("knownHosts"),
  "[ssh] connect_timeout": {
    gives: "connectTimeout",
    expected: "a number of seconds above 0",
    read: (value) => (typeof value === "number" && Number.isFinite(value) && value > 0 ? value : undefined),
  },
  "[sudo] username": name("becomeUser"),
  "[sudo] password": password("becomePassword"),
  "[become] user": name("becomeUser"),
  "[become] method": choice("becomeMethod", these("sudo", "su", "doas")),
  "[become] password": password("becomePassword"),
  "[push] hop": choice("hop", these(...BASTION_KINDS, "auto")),
  "[push] pace": choice("pace", these("plain", "conformant", "eager")),
  "[log] path": file("log"),
  "[log] enabled": choice("logEnabled", { true: true, false: false }),
  "[audit] path": file("audit"),
  "[audit] enabled": choice("auditEnabled", { true: true, false: false }),
  ...Object.fromEntries(PLATFORMS.map((platform) => [`[runtimes] ${platform}`, file(`runtime ${platform}`)])),
};

/** Keys of OpsMop's that have nothing to do here, and why. */
export const WITHOUT_MEANING: Readonly<Record<string, string>> = {
  "[python] python_path": "mop's hosts run Node; mop_node names another one in the inventory",
  "[log] format": "the lines of a leaf's log have one form",
  "[tuning] max_workers": "mop paces its logins itself",
};
