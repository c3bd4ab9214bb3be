import { realpathSync } from "node:fs";
import path from "node:path";
import { GenericContainer, type StartedTestContainer, Wait } from "testcontainers";
import { expect } from "vitest";
import type { ResourceEvent, RunEvent } from "../../../engine/vocabulary/events.js";
import { ROOT } from "../../support/mop.js";

export interface TypesHostOptions {
  /** systemd as process 1; otherwise nothing supervises services */
  readonly systemd?: boolean;
  /** Shell lines run by root once it is up */
  readonly prepare?: string;
}

/** What a run said of its resources; only times are left out. */
export type Seen = Pick<ResourceEvent, "type" | "name" | "status" | "changes" | "diff" | "error">;

export interface LocalRun {
  readonly status: number;
  readonly seen: readonly Seen[];
  /** Everything that it printed, for failures */
  readonly text: string;
}

/** testcontainers has no word for the cgroup namespace. */
class SystemContainer extends GenericContainer {
  asSystem(): this {
    Object.assign(this.hostConfig, { CgroupnsMode: "host" });
    return this;
  }
}

const MINE = ["dist", "node_modules", "package.json"];
/** The container's own Node is older than what the command line needs; leaves elsewhere are tried on old ones. */
const NODE = "/mop/node";

/** A container in which roles run by `mop local`, with the program of this checkout bound into it. */
export class TypesHost {
  readonly container: StartedTestContainer;

  private constructor(container: StartedTestContainer) {
    this.container = container;
  }

  static async start(
    image: string,
    { systemd = false, prepare = "" }: TypesHostOptions = {},
  ): Promise<TypesHost> {
    const mounts = MINE.map((name) => ({
      source: realpathSync(path.join(ROOT, name)),
      target: `/mop/${name}`,
      mode: "ro" as const,
    }));
    mounts.push({ source: realpathSync(process.execPath), target: NODE, mode: "ro" });
    const cgroups = { source: "/sys/fs/cgroup", target: "/sys/fs/cgroup", mode: "rw" as const };
    const container = new SystemContainer(image)
      .withAddedCapabilities("SYS_ADMIN", "NET_ADMIN")
      .withSecurityOpt("seccomp=unconfined", "apparmor=unconfined")
      .withBindMounts(systemd ? [...mounts, cgroups] : mounts)
      .withHostname("trial");
    if (systemd) container.asSystem().withTmpFs({ "/run": "", "/run/lock": "" }).withCommand(["/sbin/init"]);
    const host = new TypesHost(
      await container
        .withWaitStrategy(
          Wait.forSuccessfulCommand(
            systemd ? "systemctl is-system-running | grep -E 'running|degraded'" : "true",
          ),
        )
        .start(),
    );
    // So that the host's name and /proc/sys are its own to change.
    await host.sh(
      `umount /etc/hostname; echo trial >/etc/hostname; mount -o remount,rw /proc/sys; mkdir -p /policy\n${prepare}`,
    );
    return host;
  }

  /** Runs a shell command as root and gives its stdout; a failure is an error with its stderr. */
  async sh(command: string): Promise<string> {
    const ran = await this.container.exec(["sh", "-ec", command]);
    if (ran.exitCode !== 0) throw new Error(`"${command}" gave ${ran.exitCode}: ${ran.output}`);
    return ran.stdout;
  }

  /** One role with this body over the whole context, as `mop`. */
  async local(body: string, ...args: string[]): Promise<LocalRun> {
    const policy = `
import { definePolicy, defineRole } from "mop";
const trial = defineRole({ name: "trial", async main(mop) { ${body} } });
export default definePolicy({ roles: [{ role: trial }] });`;
    await this.container.copyContentToContainer([{ target: "/policy/policy.ts", content: policy }]);
    const command = [NODE, "/mop/dist/cli/main.js", "local", "/policy/policy.ts", "-o", "json", ...args];
    const { exitCode, stdout, output } = await this.container.exec(command, { workingDir: "/policy" });
    const events = stdout
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as RunEvent);
    const seen = events
      .filter((event): event is ResourceEvent => event.event === "resource")
      .map(({ type, name, status, changes, diff, error }) => ({
        type,
        name,
        status,
        changes,
        ...(diff === undefined ? {} : { diff }),
        ...(error === undefined ? {} : { error }),
      }));
    return { status: exitCode, seen, text: output };
  }

  /**
   * Checks, sees that nothing of the system was written, applies, sees that the check had told it all, and applies once
   * more, which changes nothing. Gives "type name: changes" of what the first run changed.
   */
  async applyTwice(body: string): Promise<string[]> {
    await this.sh("sleep 0.01; touch /policy/mark");
    const checked = await this.local(body, "--check", "--diff");
    expect(checked.status, checked.text).toBe(0);
    const written =
      "find /etc /usr /opt /srv /var/spool/cron /var/lib/dpkg /var/lib/rpm -xdev -newer /policy/mark -type f";
    // rpm's own database is opened for writing by whoever asks it something.
    expect(
      (await this.sh(`${written} 2>/dev/null | grep -vE '^/var/lib/rpm/|/__pycache__/' || true`)).trim(),
    ).toBe("");
    const applied = await this.local(body, "--diff");
    expect(applied.status, applied.text).toBe(0);
    expect(applied.seen).toEqual(checked.seen);
    const again = await this.local(body, "--diff");
    expect(again.status, again.text).toBe(0);
    expect(again.seen.filter(({ status }) => status !== "ok")).toEqual([]);
    return applied.seen
      .filter(({ status }) => status === "changed")
      .map(({ type, name, changes }) => `${type} ${name}: ${changes.join(", ")}`);
  }

  /** The error of a role that fails; the same under --check as for real. */
  async refusal(body: string): Promise<string> {
    const errors: string[] = [];
    for (const args of [["--check"], []]) {
      const run = await this.local(body, ...args);
      expect(run.status, run.text).toBe(2);
      errors.push(run.seen.at(-1)?.error ?? "");
    }
    expect(errors[1]).toBe(errors[0]);
    return errors[0]!;
  }

  async stop(): Promise<void> {
    await this.container.stop({ timeout: 0 });
  }
}
