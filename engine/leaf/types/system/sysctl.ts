import type { SysctlOptions } from "../../../vocabulary/resources.js";
import { Refusal } from "../../errors.js";
import { either, type Rule, rules } from "../../options.js";
import type { ResourceType, TypeContext } from "../../type.js";
import { fileStep, type Step, stepsPlan } from "../steps.js";

const FILE = "/etc/sysctl.d/99-mop.conf";
const number: Rule = { expected: "a number", test: (value) => Number.isSafeInteger(value) };

/** A setting of the kernel. */
export const sysctl: ResourceType<SysctlOptions> = {
  name: "sysctl",
  options: { value: either(rules.text, number), file: rules.path, live: rules.flag, absent: rules.flag },
  async plan(context, name, { value, file = FILE, live = true, absent }) {
    if (!/^[A-Za-z0-9_][\w./:*-]*$/.test(name) || name.includes(".."))
      throw new Refusal(`"${name}" is no setting of the kernel`);
    if (absent && value !== undefined) throw new Refusal('it can\'t have both "value" and "absent"');
    if (!absent && value === undefined) throw new Refusal('it needs the option "value"');
    const wanted = value === undefined ? undefined : spaced(String(value));
    if (wanted === "") throw new Refusal('the option "value" is empty');
    const before = (await context.read(file)) ?? "";
    const after = withSetting(before, name, wanted);
    return stepsPlan(context, [
      after === before ? undefined : await fileStep(context, "file", file, after === "" ? undefined : after),
      wanted === undefined || !live ? undefined : await liveStep(context, name, wanted),
    ]);
  },
};

/** The kernel puts tabs between several values. */
const spaced = (text: string): string => text.trim().replace(/\s+/g, " ");

/** sysctl(8): where a slash comes first, slashes divide and dots are part of the names ("net/ipv4/conf/eth0.1/..."). */
const pathOf = (name: string): string => {
  const slashes = /^[^.]*\//.test(name);
  return `/proc/sys/${slashes ? name : name.replace(/[./]/g, (c) => (c === "." ? "/" : "."))}`;
};

/** A file of settings with one of them as it shall be, in its place; undefined: it is not set. */
export function withSetting(text: string, name: string, value: string | undefined): string {
  const path = pathOf(name);
  const lines = text === "" ? [] : text.replace(/\n$/, "").split("\n");
  const isIt = (line: string) => {
    const [, key] = /^\s*-?([^#;=\s][^=]*?)\s*=/.exec(line) ?? [];
    return key !== undefined && pathOf(key) === path;
  };
  const at = lines.findIndex(isIt);
  const kept = lines.filter((line, index) => index === at || !isIt(line));
  if (value === undefined) return join(lines.filter((line) => !isIt(line)));
  if (at < 0) return join([...kept, `${name} = ${value}`]);
  if (spaced(kept[at]!.slice(kept[at]!.indexOf("=") + 1)) !== value) kept[at] = `${name} = ${value}`;
  return join(kept);
}

const join = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

async function liveStep(context: TypeContext, name: string, wanted: string): Promise<Step | undefined> {
  const at = pathOf(name);
  const now = await context.read(at);
  if (now === undefined && !context.uncertain())
    throw new Refusal(
      `the kernel has no setting "${name}" (a module may be missing); "live: false" is for the next start`,
    );
  if (now !== undefined && spaced(now) === wanted) return undefined;
  const { entry } = await context.files.resolve(at, true);
  if (entry && (entry.mode & 0o222) === 0) throw new Refusal(`the setting "${name}" can only be read`);
  return {
    action: "live",
    diff: `live: ${now === undefined ? "none" : spaced(now)} -> ${wanted}\n`,
    foresee() {
      const bytes = Buffer.from(`${wanted}\n`);
      context.files.foresee(at, {
        kind: "file",
        mode: 0o644,
        uid: 0,
        gid: 0,
        size: bytes.length,
        content: { hash: "", bytes },
      });
    },
    async apply() {
      await context.exec("sysctl", ["-q", "-w", `${name}=${wanted}`]);
      const then = spaced((await context.read(at)) ?? "");
      if (then !== wanted) throw new Refusal(`the kernel took ${wanted}, but has ${then}`);
    },
  };
}
