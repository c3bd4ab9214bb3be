import { PolicyError } from "../policy-error.js";

/** What a preset makes the words of a command from. */
export interface Entered {
  /** mop_host, else the inventory's name */
  readonly host: string;
  /** mop_user, where the inventory has one */
  readonly user: string | undefined;
}

interface Preset {
  /** What mop_host must be */
  readonly expected: string;
  readonly host: RegExp;
  /** It enters as mop_user */
  readonly asUser: boolean;
  /** The words that a command to be run there goes behind; stdin must pass through as it is, without a terminal */
  argv(entered: Entered): readonly string[];
}

const NAME = /^[A-Za-z0-9][\w.-]*$/;
const container = (program: string): Preset => ({
  expected: "a container's name or id",
  host: NAME,
  asUser: true,
  argv: ({ host, user }) => [program, "exec", "-i", ...(user === undefined ? [] : ["--user", user]), host],
});

/** Values of mop_hop that stand for a command: how each leads into what it knows. */
export const PRESETS = {
  docker: container("docker"),
  podman: container("podman"),
  kubectl: {
    expected: "namespace/pod or namespace/pod/container",
    host: /^[a-z0-9][\w.-]*(\/[a-z0-9][\w.-]*){1,2}$/,
    asUser: false,
    argv({ host }) {
      const [namespace = "", pod = "", name] = host.split("/");
      const within = name === undefined ? [] : ["-c", name];
      return ["kubectl", "exec", "-i", "-n", namespace, pod, ...within, "--"];
    },
  },
  lxc: {
    expected: "an instance's name, or remote:name",
    host: /^[A-Za-z0-9][\w.-]*(:[A-Za-z0-9][\w-]*)?$/,
    asUser: false,
    argv: ({ host }) => ["lxc", "exec", "-T", host, "--"],
  },
  // `machinectl shell` gives a terminal, which changes bytes; this is the same door without one
  machinectl: {
    expected: "a machine's name, as machinectl lists them",
    host: NAME,
    asUser: true,
    argv: ({ host, user }) => [
      "systemd-run",
      `--machine=${host}`,
      "--pipe",
      "--wait",
      "--collect",
      "--quiet",
      ...(user === undefined ? [] : [`--uid=${user}`]),
      "--",
    ],
  },
  nsenter: {
    expected: "the id of a process whose namespaces are entered",
    host: /^[1-9]\d*$/,
    asUser: false,
    argv: ({ host }) => ["nsenter", "-t", host, "-m", "-u", "-i", "-n", "-p", "--"],
  },
  chroot: {
    expected: "the absolute path of a tree",
    host: /^\//,
    asUser: true,
    argv: ({ host, user }) => ["chroot", ...(user === undefined ? [] : [`--userspec=${user}`]), host],
  },
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof PRESETS;
export const isPreset = (name: string): name is PresetName => Object.hasOwn(PRESETS, name);

/** How a host is entered. */
export interface Enter {
  readonly argv: readonly string[];
  /** The account there; empty: whoever the command makes of us */
  readonly user: string;
}

/** The command that leads into a host by a preset, or by the inventory's own `template`. `where` names the host in messages. */
export function enterBy(
  hop: PresetName | "command",
  template: readonly string[] | undefined,
  entered: Entered,
  where: string,
): Enter {
  const { user = "" } = entered;
  if (hop === "command") {
    if (!template || template.length === 0)
      throw new PolicyError(`${where}: mop_hop = "command" needs mop_command, as "my-enter {host} --"`);
    if (template.some((word) => word.includes("{command}") && word !== "{command}"))
      throw new PolicyError(`${where}: mop_command: {command} has to be a word of its own`);
    if (entered.user === undefined && template.some((word) => word.includes("{user}")))
      throw new PolicyError(`${where}: mop_command has {user} in it, but there is no mop_user`);
    return {
      argv: template.map((word) => word.replaceAll("{host}", entered.host).replaceAll("{user}", user)),
      user: template.some((word) => word.includes("{user}")) ? user : "",
    };
  }
  const { expected, host, asUser, argv }: Preset = PRESETS[hop];
  if (!host.test(entered.host))
    throw new PolicyError(
      `${where}: mop_host is ${JSON.stringify(entered.host)}; with mop_hop = "${hop}" it is ${expected}`,
    );
  return { argv: argv(entered), user: asUser ? user : "" };
}

/** A command's words: a list, or a text that is divided at blanks; quotes keep blanks. */
export function commandWords(value: unknown, where: string): readonly string[] | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const words: unknown[] =
    typeof value === "string"
      ? [...value.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) =>
          word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"),
        )
      : Array.isArray(value)
        ? value
        : [value];
  const odd = typeof value === "string" && /["']/.test(value.replace(/"[^"]*"|'[^']*'/g, ""));
  if (odd) throw new PolicyError(`${where}: mop_command has a quote that doesn't end: ${value}`);
  return words.map((word) => {
    if (typeof word !== "string" || /[\0-\x1f\x7f]/.test(word))
      throw new PolicyError(
        `${where}: mop_command is no text, or no list of words without control characters`,
      );
    return word;
  });
}
