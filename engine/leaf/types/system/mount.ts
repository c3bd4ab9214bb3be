import { realpath, stat } from "node:fs/promises";
import type { MountOptions } from "../../../vocabulary/resources.js";
import { Refusal } from "../../errors.js";
import { oneOf, rules } from "../../options.js";
import type { Plan, ResourceType, TypeContext } from "../../type.js";
import { fileStep, type Step, stepsPlan } from "../steps.js";
import { type FstabEntry, fstabEntry, unescaped, withEntry } from "./fstab.js";

const FSTAB = "/etc/fstab";

/** A file system at a folder: in fstab, mounted, or not. */
export const mount: ResourceType<MountOptions> = {
  name: "mount",
  options: {
    device: rules.text,
    type: rules.text,
    options: rules.text,
    state: oneOf("mounted", "present", "unmounted", "absent"),
    dump: rules.count,
    pass: rules.count,
  },
  async plan(context, name, options) {
    if (!name.startsWith("/")) throw new Refusal("its name is the folder, an absolute path");
    const at = name.length > 1 ? name.replace(/\/+$/, "") : name;
    const { state = "mounted" } = options;
    const wanted = wantedEntry(at, options, state);
    const table = (await context.read(FSTAB)) ?? "";
    const before = fstabEntry(table, at);
    const after = state === "unmounted" ? table : withEntry(table, at, wanted);
    const file = after === table ? undefined : await fileStep(context, "fstab", FSTAB, after);
    // A mount behind a link stands in the kernel's table by its real folder.
    const { path: real } = await context.files.resolve(at, true);
    const now = await mountedAt(context, real);
    if (state === "present") return stepsPlan(context, [file]);
    // Unmounted first, so that fstab never lacks what is mounted.
    if (state !== "mounted") return stepsPlan(context, [now && unmountStep(context, real, now), file]);
    return planMounted(context, real, wanted!, before, now, file);
  },
};

function wantedEntry(
  at: string,
  { device, type, options = "defaults", dump = 0, pass = 0 }: MountOptions,
  state: string,
): FstabEntry | undefined {
  if (state === "unmounted" || state === "absent") return undefined;
  for (const [option, value] of Object.entries({ device, type }))
    if (value === undefined) throw new Refusal(`it needs the option "${option}"`);
  for (const [option, value] of Object.entries({ device, type, options }))
    if (value === "" || /\n/.test(value ?? "")) throw new Refusal(`the option "${option}" must be one line`);
  if (/\s/.test(type! + options)) throw new Refusal('"type" and "options" can\'t hold spaces');
  return { device: device!, at, type: type!, options, dump, pass };
}

interface Mounted {
  readonly device: string;
  readonly type: string;
  /** How many lie over each other; the others are the last one's */
  readonly layers: number;
}

/** What is mounted there now. */
async function mountedAt(context: TypeContext, at: string): Promise<Mounted | undefined> {
  const { stdout } = await context.exec("cat", ["/proc/mounts"]);
  let found: Mounted | undefined;
  for (const line of stdout.split("\n")) {
    const [device = "", point = "", type = ""] = line.split(" ");
    if (unescaped(point) === at)
      found = { device: unescaped(device), type, layers: (found?.layers ?? 0) + 1 };
  }
  return found;
}

async function planMounted(
  context: TypeContext,
  at: string,
  wanted: FstabEntry,
  before: FstabEntry | undefined,
  now: Mounted | undefined,
  file: Step | undefined,
): Promise<Plan> {
  if (!now) {
    const { entry } = await context.files.resolve(at, true);
    if (!entry && !context.uncertain())
      throw new Refusal(`the folder ${wanted.at} does not exist; make it with directory() before`);
    if (entry && entry.kind !== "directory") throw new Refusal("it is no folder");
    return stepsPlan(context, [file, mountStep(context, at, wanted)]);
  }
  if (
    !(await isOf(wanted, now, at)) ||
    (before && (before.device !== wanted.device || before.type !== wanted.type))
  )
    return stepsPlan(context, [unmountStep(context, at, now), file, mountStep(context, at, wanted)]);
  const options = before !== undefined && before.options !== wanted.options;
  return stepsPlan(context, [
    file,
    options ? remountStep(context, at, before.options, wanted.options) : undefined,
  ]);
}

/** Whether what is mounted is of that device, as far as the kernel's table tells: UUID= and LABEL= don't stand there. */
async function isOf({ device, options }: FstabEntry, now: Mounted, at: string): Promise<boolean> {
  if (!device.startsWith("/")) return true;
  if (/(^|,)r?bind(,|$)/.test(options)) {
    // The table has the device that the bound folder lies on.
    const [from, to] = await Promise.all([device, at].map((one) => stat(one).catch(() => undefined)));
    return from !== undefined && to !== undefined && from.dev === to.dev && from.ino === to.ino;
  }
  if (!now.device.startsWith("/")) return true;
  // Logical volumes and /dev/disk have several names for one device.
  const [wanted, there] = await Promise.all(
    [device, now.device].map((one) => realpath(one).catch(() => one)),
  );
  return wanted === there;
}

const unmountStep = (context: TypeContext, at: string, now: Mounted): Step => ({
  action: "unmount",
  diff: `mounted: ${now.device} -> none\n`,
  async apply() {
    for (let layer = 0; layer < now.layers; layer++) await context.exec("umount", [at]);
  },
});

const mountStep = (context: TypeContext, at: string, wanted: FstabEntry): Step => ({
  action: "mount",
  diff: `mounted: none -> ${wanted.device}\n`,
  async apply() {
    // By its name in fstab.
    await context.exec("mount", [wanted.at]);
    if (!(await mountedAt(context, at))) throw new Refusal("it was mounted, but is not there");
  },
});

const remountStep = (context: TypeContext, at: string, before: string, after: string): Step => ({
  action: "remount",
  diff: `options: ${before} -> ${after}\n`,
  async apply() {
    await context.exec("mount", ["-o", `remount,${after}`, at]);
  },
});
