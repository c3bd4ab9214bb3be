import type { HostnameOptions, Result } from "../../../vocabulary/resources.js";
import type { Provider } from "../../../vocabulary/types.js";
import { Refusal } from "../../errors.js";
import type { Plan, ResourceType, TypeContext } from "../../type.js";
import { fileStep, type Step, stepsPlan } from "../steps.js";

export interface HostnameProvider extends Provider {
  plan(context: TypeContext, name: string): Promise<Plan>;
}

const LIVE = "/proc/sys/kernel/hostname";

const linux: HostnameProvider = {
  name: "linux",
  suits: ({ platform }) => platform === "linux",
  async plan(context, name) {
    const before = await context.read("/etc/hostname");
    const now = ((await context.read(LIVE)) ?? "").trim();
    // systemd allows comments in it.
    const stored = before
      ?.split("\n")
      .find((line) => line.trim() !== "" && !line.startsWith("#"))
      ?.trim();
    return stepsPlan(context, [
      stored === name ? undefined : await fileStep(context, "file", "/etc/hostname", `${name}\n`),
      now === name ? undefined : live(context, now, name),
    ]);
  },
};

function live(context: TypeContext, now: string, name: string): Step {
  return {
    action: "live",
    diff: `live: ${now || "none"} -> ${name}\n`,
    foresee() {
      const bytes = Buffer.from(`${name}\n`);
      const attributes = { mode: 0o644, uid: 0, gid: 0, size: bytes.length };
      context.files.foresee(LIVE, { ...attributes, kind: "file", content: { hash: "", bytes } });
    },
    // Not hostnamectl, which needs a bus that a container or a rescue system does not have.
    async apply() {
      await context.exec("sysctl", ["-q", "-w", `kernel.hostname=${name}`]);
    },
  };
}

const KINDS = ["HostName", "LocalHostName"] as const;

const macos: HostnameProvider = {
  name: "macos",
  suits: ({ platform }) => platform === "darwin",
  async plan(context, name) {
    const steps: Step[] = [];
    for (const kind of KINDS) {
      const wanted = kind === "LocalHostName" ? name.split(".")[0]! : name;
      const { rc, stdout } = await context.exec("scutil", ["--get", kind], { accept: [0, 1] });
      const now = rc === 0 ? stdout.trim() : "";
      if (now === wanted) continue;
      steps.push({
        action: kind,
        diff: `${kind}: ${now || "none"} -> ${wanted}\n`,
        async apply() {
          await context.exec("scutil", ["--set", kind, wanted]);
        },
      });
    }
    return stepsPlan(context, steps);
  },
};

/** The host's name, now and when it starts. */
export const hostname: ResourceType<HostnameOptions, Result, HostnameProvider> = {
  name: "hostname",
  options: {},
  providers: [linux, macos],
  async plan(context, name, _options, provider) {
    const labels = name.split(".");
    // RFC 1123, and the kernel's 64 characters.
    if (
      name.length > 64 ||
      !labels.every((label) => /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label))
    )
      throw new Refusal(
        `"${name}" is no host name: labels of letters, digits and - with dots between, 64 characters at most`,
      );
    return provider.plan(context, name);
  },
};
