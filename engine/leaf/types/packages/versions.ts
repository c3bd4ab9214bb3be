/**
 * Whether an installed version is what was asked for: the same, the same but for its epoch or its release, or fitting
 * the `*`s.
 */
export function fits(wanted: string, version: string): boolean {
  const forms = new Set([version, version.replace(/^\d+:/, "")]);
  for (const form of [...forms]) forms.add(form.replace(/-[^-]*$/, ""));
  return [...forms].some((form) => pattern(wanted).test(form));
}

function pattern(wanted: string): RegExp {
  const text = wanted
    .split("*")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^${text}$`);
}

/** As rpm and pacman order versions, "epoch:version-release": below 0 when `a` is older. */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [split(a), split(b)];
  return (
    compareParts(one.epoch, other.epoch) ||
    compareParts(one.version, other.version) ||
    (one.release === "" || other.release === "" ? 0 : compareParts(one.release, other.release))
  );
}

function split(text: string): { epoch: string; version: string; release: string } {
  const [, epoch = "0", version = "", release = ""] = /^(?:(\d+):)?(.*?)(?:-([^-]*))?$/.exec(text) ?? [];
  return { epoch, version, release };
}

/** rpmvercmp: runs of digits as numbers, runs of letters as text; "~" sorts before everything, "^" after the end. */
function compareParts(a: string, b: string): number {
  const [one, other] = [pieces(a), pieces(b)];
  for (let i = 0; i < one.length || i < other.length; i++) {
    const [x, y] = [one[i], other[i]];
    if (x === y) continue;
    if (x === "~" || y === "~") return x === "~" ? -1 : 1;
    if (x === "^" || y === "^") {
      if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
      return x === "^" ? -1 : 1;
    }
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    const numbers = [x, y].map((piece) => /^\d/.test(piece));
    // A number is newer than letters.
    if (numbers[0] !== numbers[1]) return numbers[0] ? 1 : -1;
    const [left, right] = numbers[0] ? [x.replace(/^0+/, ""), y.replace(/^0+/, "")] : [x, y];
    if (numbers[0] && left.length !== right.length) return left.length - right.length;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

const pieces = (text: string): string[] => text.match(/\d+|[A-Za-z]+|~|\^/g) ?? [];
