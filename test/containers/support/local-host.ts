import path from "node:path";
import { GenericContainer, type StartedTestContainer } from "testcontainers";
import type { ResourceEvent, RunEvent } from "../../../engine/vocabulary/events.js";

const ROOT = path.join(import.meta.dirname, "../../..");
/** Containers of a run that was killed end by themselves. */
const LIFETIME_S = 600;

/** A container in which root runs `mop local`: this tree and this Node are mounted into it. */
export class LocalHost {
  readonly #container: StartedTestContainer;

  private constructor(container: StartedTestContainer) {
    this.#container = container;
  }

  static async start(image: string): Promise<LocalHost> {
    const mount = (source: string, target: string) => ({ source, target, mode: "ro" as const });
    const container = await new GenericContainer(image)
      .withBindMounts([mount(ROOT, "/mop"), mount(process.execPath, "/opt/node")])
      .withCommand(["sleep", String(LIFETIME_S)])
      .start();
    return new LocalHost(container);
  }

  async stop(): Promise<void> {
    await this.#container.stop({ timeout: 0 });
  }

  /** Runs a shell command as root and gives what it says; a failure is an error with it. */
  async sh(command: string): Promise<string> {
    const { exitCode, output } = await this.#container.exec(["sh", "-c", command]);
    if (exitCode !== 0) throw new Error(`"${command}" gave ${exitCode}: ${output}`);
    return output.trimEnd();
  }

  /** Runs a command of mop and gives its output, whatever its status. */
  async mop(...words: readonly string[]): Promise<string> {
    const { output } = await this.#container.exec(["/opt/node", "/mop/dist/cli/main.js", ...words]);
    return output;
  }

  /** Runs a role whose `main` is this text over `mop local`; `uses`: names of its context that it doesn't await. */
  async role(main: string, flags: readonly string[] = [], uses: readonly string[] = []): Promise<LocalRun> {
    const names = main.match(/\bawait (\w+)\(/g)?.map((call) => call.slice("await ".length, -1)) ?? [];
    const own = [...new Set([...names, ...uses])].join(", ");
    const content = `import { definePolicy, defineRole } from "mop";
const role = defineRole({ name: "try", async main({ ${own} }) {\n${main}\n} });
export default definePolicy({ roles: [{ role }] });\n`;
    await this.#container.copyContentToContainer([{ content, target: "/site/policy.ts" }]);
    const words = ["/opt/node", "/mop/dist/cli/main.js", "local", "/site/policy.ts", "-o", "json", ...flags];
    const { exitCode, stdout, stderr } = await this.#container.exec([...words, "--no-type-check"]);
    const events = stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as RunEvent);
    if (events.length === 0) throw new Error(`mop local gave ${exitCode}: ${stderr}`);
    return { status: exitCode, events, stdout };
  }
}

export interface LocalRun {
  readonly status: number;
  readonly events: readonly RunEvent[];
  readonly stdout: string;
}

/** What became of each resource, but for the time that it took. */
export const resourcesOf = ({ events }: LocalRun): Omit<ResourceEvent, "ms">[] =>
  events.flatMap((event) => {
    if (event.event !== "resource") return [];
    const { ms: _, ...rest } = event;
    return [rest];
  });
