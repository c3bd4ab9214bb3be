/**
 * Patterns of host and group names: `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`; several with commas. A leading `!` takes
 * names out again; a list of exclusions only starts from all.
 */

/** One shell-like pattern as a regular expression over whole names. An unclosed `[` stands for itself. */
export function globToRegExp(pattern: string, star = ".*", any = "."): RegExp {
  let source = "";
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === "*") source += star;
    else if (char === "?") source += any;
    else if (char === "[") {
      const negated = pattern[i + 1] === "!" || pattern[i + 1] === "^";
      const from = i + (negated ? 2 : 1);
      const end = pattern.indexOf("]", from + 1);
      if (end < 0) source += "\\[";
      else {
        const set = pattern.slice(from, end).replace(/[\\\]^[]/g, "\\$&");
        source += `[${negated ? "^" : ""}${validSet(set) ? set : set.replace(/-/g, "\\-")}]`;
        i = end;
      }
    } else source += char.replace(/[\\^$.|+(){}\]/]/g, "\\$&");
  }
  return new RegExp(`^${source}$`, "su");
}

function validSet(set: string): boolean {
  try {
    new RegExp(`[${set}]`, "u");
    return true;
  } catch {
    return false;
  }
}

export interface PatternList {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** Splits comma lists and tells inclusions from exclusions. */
export function parsePatterns(patterns: readonly string[]): PatternList {
  const all = patterns
    .flatMap((pattern) => pattern.split(","))
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== "");
  return {
    include: all.filter((pattern) => !pattern.startsWith("!")),
    exclude: all.filter((pattern) => pattern.startsWith("!")).map((pattern) => pattern.slice(1).trim()),
  };
}

/** A test for names. With no inclusion at all every name that isn't taken out fits. */
export function matcher(patterns: readonly string[]): (name: string) => boolean {
  const { include, exclude } = parsePatterns(patterns);
  const includes = include.map((pattern) => globToRegExp(pattern));
  const excludes = exclude.map((pattern) => globToRegExp(pattern));
  return (name) =>
    (includes.length === 0 || includes.some((test) => test.test(name))) &&
    !excludes.some((test) => test.test(name));
}

/** Inclusions and exclusions that fit none of `names`. */
export function unmatched(patterns: readonly string[], names: readonly string[]): string[] {
  const { include, exclude } = parsePatterns(patterns);
  return [...include, ...exclude].filter((pattern) => {
    const test = globToRegExp(pattern);
    return !names.some((name) => test.test(name));
  });
}
