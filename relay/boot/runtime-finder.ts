import { OLDEST_NODE, TAKE } from "./runtime-words.js";

/**
 * Prints the SHA-256 of the Node that runs it, for hosts without a program that could. Its names stand in regular
 * expressions, since neither quotes of the shell nor those of JavaScript are left for them.
 */
const SELF_SUM =
  "process.stdout.write(require(/crypto/.source).createHash(/sha256/.source)" +
  ".update(require(/fs/.source).readFileSync(process.execPath)).digest(/hex/.source))";

/**
 * What the boot command does where it found no Node and one may be brought: runs the one that was kept, else asks for
 * one by lines on stderr (runtime/bring.ts answers) and, where stdin is free for it (`$k` is TAKE), keeps and runs it.
 * `$r`: hashes of what can be brought, "linux-x64=HASH linux-arm64=HASH"; `$f` the first stage, "$@" what it is given.
 * POSIX, and the same characters are forbidden as in command.ts.
 *
 * A kept runtime is run only where nobody but its owner and root can put anything in its place, and only with the
 * right SHA-256. What comes in is written under another name, and gets its own when it was checked and has run.
 */
export const BRINGER = [
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: the shell's own variables
  "b=mop-boot:$1; u=$(id -u); ",
  'no() { set -f; echo "$b:not" $* >&2; exit 125; }; ',

  // Which platform: Node's own names for it, and the C library
  "s=$(uname -s 2>/dev/null); a=$(uname -m 2>/dev/null); v=; ",
  "case $s in Linux) s=linux;; Darwin) s=darwin;; esac; ",
  "case $a in x86_64|amd64) a=x64;; aarch64|arm64) a=arm64;; esac; ",
  // A kernel of 64 bits may carry programs of 32
  'case $(getconf LONG_BIT 2>/dev/null) in 32) a="32bit-$a";; esac; ',
  "p=$s-$a; if [ $s = linux ]; then v=$(getconf GNU_LIBC_VERSION 2>/dev/null); ",
  'case $v in "glibc "*) v=${v#glibc };; *) v=$(ldd --version 2>&1 </dev/null | head -n 1); ',
  'case $v in *musl*) v=musl;; *GLIBC*|*"GNU libc"*|*glibc*) v=${v##* };; *) v=; ',
  'for c in /lib/ld-musl-*; do [ -e "$c" ] && v=musl; done; ',
  'for c in /lib*/ld-linux*.so.* /lib/*/ld-linux*.so.*; do [ -e "$c" ] && v=0; done;; esac;; esac; ',
  "case $v in musl) p=$p-musl; v=0;; esac; fi; ",
  "h=; for e in $r; do case $e in $p=*) h=${e#*=};; esac; done; ",

  // Where it is kept. `own`: a folder or file that is ours alone; `up`: nobody else can rename what is above it
  "c=$XDG_CACHE_HOME; case $c in /*) ;; *) c=$HOME/.cache; esac; ",
  'case $HOME$c in /.cache|"") no "HOME is not set there, so there is no place to keep it";; esac; ',
  "c=$c/mop/runtime; t=$c/$h; w=$c/.$h.$$.part; ",
  'own() { set -- $(ls -ldn "$1" 2>/dev/null); case $1 in [d-]rwx------*) [ "$3" = "$u" ];; *) false;; esac; }; ',
  'up() { d=$1; while :; do d=${d%/*}; set -- $(ls -ldn "${d:-/}" 2>/dev/null); ',
  "case $1 in ?????????[tT]*) ;; ?????w*|????????w*) return 1;; esac; ",
  'case $3 in 0|$u) ;; *) return 1;; esac; [ -n "$d" ] || return 0; done; }; ',
  'safe() { d=$c; x=$(cd "$c" 2>/dev/null && pwd -P) || return 1; c=$x; d=$c; own "$c" && up "$c"; }; ',
  `sum() { x=$({ sha256sum || busybox sha256sum || openssl dgst -sha256 -r || shasum -a 256; } <"$1" 2>/dev/null); `,
  `x=\${x%% *}; [ -n "$x" ] || x=$("$1" -e "${SELF_SUM}" 2>/dev/null); [ "$x" = "$h" ]; }; `,
  'runs() { v=$("$1" -v 2>&1 </dev/null); case $v in v[0-9]*) ;; ',
  '*) no "the Node that was brought does not run in $c (a folder of a file system mounted noexec, or a library is missing):" "$v";; esac; ',
  `m=\${v#v}; [ "\${m%%.*}" -ge ${OLDEST_NODE} ] || no "the Node that was brought is $v, and ${OLDEST_NODE} or newer is needed"; }; `,

  'if [ -n "$h" ] && [ -f "$t" ] && safe && own "$t" && sum "$t"; then ',
  'touch "$t" 2>/dev/null; runs "$t"; exec "$t" -e "$f" "$@"; fi; ',

  `z=raw; command -v gzip >/dev/null 2>&1 && z=gz; echo "$b:want $p \${v:-0} $z" >&2; `,
  `[ -n "$h" ] && [ "$k" = ${TAKE} ] || exit 127; `,

  'e=$({ umask 077; mkdir -p "$c" && chmod 700 "$c"; } 2>&1) || no "$c can not be made:" "$e"; ',
  'safe || no "$c would be no safe place for it: others may write to ${d:-/}, or own it"; ',
  "t=$c/$h; w=$c/.$h.$$.part; ",
  // What was cut off, and what nobody ran for 90 days
  'find "$c" -name ".*.part" -mmin +120 -exec rm -f {} + 2>/dev/null; ',
  'find "$c" -type f -mtime +90 -exec rm -f {} + 2>/dev/null; ',
  'trap "exit 1" HUP INT TERM; drop() { rm -f "$w"; }; trap drop EXIT; ',
  'e=$({ umask 077; : >"$w"; } 2>&1) || no "nothing can be written to $c:" "$e"; y=; ',
  // One piece at a time, asked for: `head` may read ahead, but nothing is there yet to be read
  'while echo "$b:next" >&2; read -r y g; do case $y in 0) break;; esac; ',
  'case $g in gz) e=$({ head -c "$y" | gzip -dc >>"$w"; } 2>&1);; *) e=$({ head -c "$y" >>"$w"; } 2>&1);; esac ',
  '|| no "it can not be written to $c:" "$e"; done; [ "$y" = 0 ] || exit 1; ',
  'chmod 700 "$w"; sum "$w" || no "what came is damaged (SHA-256 ${x:-unknown}) and was thrown away"; ',
  'runs "$w"; e=$(mv -f "$w" "$t" 2>&1) || no "it can not be kept in $c:" "$e"; trap - EXIT HUP INT TERM; ',
  'exec "$t" -e "$f" "$@"',
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: the shell's own variables
].join("");
