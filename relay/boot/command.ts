import { MopError } from "../../transport/errors.js";
import { type Become, becomeArgs } from "./become.js";
import { FIRST_STAGE } from "./first-stage.js";
import { BRINGER } from "./runtime-finder.js";
import { ASK, OLDEST_NODE, TAKE } from "./runtime-words.js";

/** What a boot command is built from. Nothing of it is secret: anyone on the host may read a command line. */
export interface BootCommand {
  /** Path of the host's Node; empty: it is looked for */
  readonly node: string;
  /** Hex; marks our own words among whatever else the host prints */
  readonly nonce: string;
  /** Bytes of the core as it travels, and their SHA-256 in hex */
  readonly size: number;
  readonly hash: string;
  /** Process title */
  readonly title: string;
  /** Run as another account */
  readonly become?: Become | undefined;
  /** Hashes of what may be brought where there is no Node, by platform; absent: nothing may */
  readonly runtimes?: Readonly<Record<string, { readonly hash: string }>> | undefined;
}

/**
 * Looks for a Node that is new enough and becomes it. `$1` is the first stage, `$2` a path or nothing, the rest goes to
 * the first stage. The same characters are forbidden as there.
 */
const FINDER = [
  "t=; o=; ",
  `g() { c=$1; shift; p=$(command -v "$c" 2>/dev/null) || p=; `,
  `[ -n "$p" ] || { t="$t, $c"; return 0; }; `,
  `v=$("$p" -v 2>/dev/null </dev/null); m=\${v#v}; m=\${m%%.*}; `,
  `if [ "\${m:-0}" -ge ${OLDEST_NODE} ] 2>/dev/null; then exec "$p" -e "$f" "$@"; fi; `,
  `o="$o, $p (\${v:-no version})"; }; `,
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's own variable
  'if [ -n "$n" ]; then case $n in "~/"*) n=$HOME/${n#??};; esac; g "$n" "$@"; else ',
  'g node "$@"; g nodejs "$@"; ',
  'l=; for c in "$HOME"/.nvm/versions/node/v[1-9][0-9].*/bin/node; do l=$c; done; ',
  "for c in /usr/local/bin/node /usr/bin/node /usr/bin/nodejs /opt/*/bin/node /usr/local/*/bin/node ",
  '"$l" "$HOME"/.volta/bin/node "$HOME"/.local/bin/node /opt/homebrew/bin/node /snap/bin/node; ',
  'do g "$c" "$@"; done; fi; ',
].join("");

/** The end where none was found: `$o` are those that are too old, `$t` what was tried. */
const NONE = [
  'if [ -n "$o" ]; then echo "mop-boot:$1:old:$o;" >&2; exit 126; fi; ',
  'echo "mop-boot:$1:none:$t;" >&2; exit 127',
].join("");

/** Means the same inside single quotes of bash, dash, zsh, ksh, csh, tcsh and fish. */
const PLAIN = /^[^'\\!\p{Cc}]*$/u;

/** The command line that starts the core on a host, for `exec` over SSH: right for any login shell. */
export function bootCommand(options: BootCommand): string {
  if (!PLAIN.test(options.node) || options.node.startsWith("-"))
    throw new MopError(
      "BAD_ARGUMENT",
      `mop_node ${JSON.stringify(options.node)} can't be used: a path without quotes, backslashes and exclamation marks is needed`,
    );
  if (options.become && (!PLAIN.test(options.become.user) || /^-|^$/.test(options.become.user)))
    throw new MopError("BAD_ARGUMENT", `${JSON.stringify(options.become.user)} is no user's name to become`);
  return `exec sh -c ${shellArgs(options)
    .map((arg) => `'${arg}'`)
    .join(" ")}`;
}

/** What `sh -c` is given. */
export function shellArgs(options: BootCommand): string[] {
  const { become, nonce, runtimes } = options;
  const args = runtimes
    ? [
        `f=$1; n=; k=$2; r=$3; shift 3; ${FINDER}${BRINGER}`,
        "mop",
        FIRST_STAGE,
        // Where another account is become, nothing is written before Node runs
        become ? TAKE : ASK,
        Object.entries(runtimes)
          .map(([platform, { hash }]) => `${platform}=${hash}`)
          .join(" "),
      ]
    : [`f=$1; n=$2; shift 2; ${FINDER}${NONE}`, "mop", FIRST_STAGE, options.node];
  args.push(...firstStageArgs(options).slice(2));
  return become ? becomeArgs(become, nonce, args) : args;
}

/** Node's own arguments, where no shell is needed to find it. */
export function firstStageArgs(options: Omit<BootCommand, "node">): string[] {
  const { nonce, size, hash, title } = options;
  return ["-e", FIRST_STAGE, nonce, String(size), hash, plainTitle(title)];
}

/** A title of printable ASCII that no shell and no terminal takes for anything else. */
function plainTitle(title: string): string {
  const plain = title.replace(/[^\w @.,:+()/-]/g, "_").slice(0, 120);
  return /^[A-Za-z]/.test(plain) ? plain : `mop ${plain}`;
}
