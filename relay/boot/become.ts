/** How another account is become on a host where one is logged in. */
export interface Become {
  readonly method: "sudo" | "su" | "doas";
  readonly user: string;
  /** The text, or what gets it once somebody is to be become. Undefined: none is needed, or none is known */
  readonly password?: string | (() => Promise<string>);
}

/** What the program asks with, where it lets us choose (sudo): nobody else's question gets the password. */
export const askMark = (nonce: string): string => `mop-boot:${nonce}:ask;`;

/**
 * The other account's first words: the terminal, if there is one, is to pass all bytes as they are. Same characters as
 * in command.ts.
 */
const INNER = '[ -t 0 ] && stty raw -echo; exec sh -c "$@"';

/** Where one is that account already, as in most containers, nothing needs to be there that becomes it. */
const SAME = '[ "$(id -un 2>/dev/null)" = "$u" ] && exec sh -c "$@"';

/** `$u` account, `$p` mark of the question, `$1` INNER, behind it what its `sh -c` is to run. */
const OUTER = {
  sudo: 'exec sudo -S -p "$p" -H -u "$u" sh -c "$@"',
  "sudo -n": 'exec sudo -n -H -u "$u" sh -c "$@"',
  // Its question is known in English only
  su: 'i="unset LC_ALL LANGUAGE; $1"; shift; LC_ALL=C LANGUAGE=C exec su -s /bin/sh -c "$i" "$u" "$@"',
  doas: 'exec doas -u "$u" sh -c "$@"',
  "doas -n": 'exec doas -n -u "$u" sh -c "$@"',
} as const;

/** Arguments of `sh -c` that run the arguments of another `sh -c` as the other account. */
export function becomeArgs({ method, user, password }: Become, nonce: string, command: string[]): string[] {
  const program = password !== undefined || method === "su" ? method : (`${method} -n` as const);
  return [
    `u=$1; p=$2; shift 2; ${SAME}; ${OUTER[program]}`,
    "mop",
    user,
    askMark(nonce),
    INNER,
    "mop",
    ...command,
  ];
}
