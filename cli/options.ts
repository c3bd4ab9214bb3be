import { type Command, InvalidArgumentError, Option } from "commander";
import { BASTION_KINDS, type BastionKind } from "../relay/mesh/types.js";
import type { HostKeyPolicy, LoginPace } from "../transport/ssh/types.js";
import type { DefaultFlags } from "./defaults/with-defaults.js";

/** Options of every command that connects, as the command line gives them (interface.md, section 3). */
export interface ConnectionFlags extends DefaultFlags {
  readonly inventory?: string;
  readonly limitHosts?: string[];
  readonly limitGroups?: string[];
  readonly via?: string;
  readonly user?: string;
  readonly identity?: string;
  readonly sshConfig?: string;
  readonly knownHosts?: string;
  readonly hostKeys?: HostKeyPolicy;
  readonly hop?: BastionKind | "auto";
  readonly become?: boolean;
  readonly becomeUser?: string;
  readonly becomeMethod?: "sudo" | "su" | "doas";
  readonly askBecomePass?: boolean;
  readonly askPass?: boolean;
  /** Seconds */
  readonly connectTimeout?: number;
  /** Seconds */
  readonly timeout?: number;
  readonly output: "human" | "json";
  readonly verbose?: boolean;
  /** Default: eager */
  readonly pace?: LoginPace;
}

/** Options of the commands that run a policy. */
export interface RunFlags extends ConnectionFlags {
  readonly check?: boolean;
  readonly verify?: boolean;
  readonly diff?: boolean;
  readonly extraVars?: string[];
  readonly tags?: string[];
  readonly skipTags?: string[];
  readonly typeCheck: boolean;
}

const seconds = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError("give a number of seconds above 0, as in 10 or 2.5.");
  return value;
};

/** Nothing at all is a variable that was not set, and hardly meant to be every host. */
const list = (text: string, before: string[] | undefined): string[] => {
  const words = text
    .split(",")
    .map((word) => word.trim())
    .filter(Boolean);
  if (words.length === 0) throw new InvalidArgumentError("it is empty; leave the option out for all.");
  return [...(before ?? []), ...words];
};

const collect = (text: string, before: string[] | undefined): string[] => [...(before ?? []), text];

export function addOutputOptions(command: Command): Command {
  return command
    .addOption(
      new Option("-o, --output <format>", "human text or JSON lines")
        .choices(["human", "json"])
        .default("human"),
    )
    .option("-v, --verbose", "also what is in order, connects and skips");
}

export function addConnectionOptions(command: Command): Command {
  addOutputOptions(command)
    .option("-i, --inventory <file>", "inventory (TOML); default: the policy's, or ./inventory.toml")
    .option("--limit-hosts <patterns>", "only hosts that fit: l*,!l3", list)
    .option("--limit-groups <patterns>", "only hosts of groups that fit", list)
    .option("--via <b1,b2>", "every target goes through b1, then b2: inventory names or [user@]host[:port]")
    .option("-u, --user <name>", "login name where nothing else says one")
    .option("--identity <file>", "private key; used before all others")
    .option("-F, --ssh-config <file>", "OpenSSH configuration instead of ~/.ssh/config")
    .option("--known-hosts <file>", "known host keys instead of ~/.ssh/known_hosts")
    .addOption(
      new Option(
        "--host-keys <policy>",
        "what to do with unknown host keys; default: ssh_config's, else strict",
      ).choices(["strict", "accept-new", "off"]),
    )
    .addOption(
      new Option("--hop <kind>", "how bastions are passed where the inventory is silent").choices([
        ...BASTION_KINDS,
        "auto",
      ]),
    )
    .option("-k, --ask-pass", "ask for the login password")
    .option("--connect-timeout <s>", "seconds until a host counts as unreachable", seconds)
    .addOption(
      new Option(
        "--pace <pace>",
        "which login steps go ahead unanswered: plain, conformant to the RFCs, or eager (the default)",
      ).choices(["plain", "conformant", "eager"]),
    );
  return addTimeout(addBecomeOptions(command));
}

export function addBecomeOptions(command: Command): Command {
  return command
    .option("-b, --become", "become another user on the hosts (root, unless something says whom)")
    .option("--become-user <name>", "whom to become, where -b, the inventory or a role asks for it")
    .addOption(new Option("--become-method <method>").choices(["sudo", "su", "doas"]))
    .option("-K, --ask-become-pass", "ask for the password that becoming another user takes");
}

export function addTimeout(command: Command): Command {
  return command.option("--timeout <s>", "seconds until the whole run is cancelled", seconds);
}

export function addVerifyOption(command: Command): Command {
  return command.option("--verify", "run everything twice; fail where the second run changes anything");
}

export function addRunOptions(command: Command): Command {
  return command
    .option("--check", "plan only, change nothing")
    .option("--diff", "show what would change or did")
    .option(
      "-e, --extra-vars <vars>",
      "'k=v k2=v2', '{\"k\": \"v\"}' or @file.json|.toml|.yaml; may be repeated",
      collect,
    )
    .option("--tags <list>", "only what has one of these tags", list)
    .option("--skip-tags <list>", "all but what has one of these tags", list)
    .option("--no-type-check", "don't run the type checker over the policy first");
}
