/** From SIGTERM to SIGKILL, in ms. */
const GRACE_MS = 500;

/** The process groups that a role started and that still run: none of them outlives its wing. */
export class ProcessGroups {
  readonly #leaders = new Set<number>();

  note(pid: number, runs: boolean): void {
    // kill(-1) and kill(-0) mean other processes than a group of ours
    if (runs && Number.isInteger(pid) && pid > 1) this.#leaders.add(pid);
    else this.#leaders.delete(pid);
  }

  /** SIGTERM, then SIGKILL; resolves when that is done. */
  async end(): Promise<void> {
    if (this.#leaders.size === 0) return;
    this.kill("SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, GRACE_MS));
    this.kill("SIGKILL");
    this.#leaders.clear();
  }

  kill(signal: NodeJS.Signals): void {
    for (const leader of this.#leaders) {
      try {
        process.kill(-leader, signal);
      } catch {
        // It ended by itself
      }
    }
  }
}
