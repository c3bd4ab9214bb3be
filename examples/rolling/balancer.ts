/** A load balancer with an HTTP API; yours has other words for it. It runs on the controller, from the policy's hooks. */
import { setTimeout as pause } from "node:timers/promises";

export class Balancer {
  readonly #url: string | undefined;

  constructor(url: string | undefined) {
    this.#url = url;
  }

  /** No new sessions for this server; resolves when those that it had are over. */
  async takeOut(server: string, signal: AbortSignal): Promise<void> {
    await this.#ask(server, "PUT", { state: "drain" });
    while ((await this.#ask(server, "GET")).sessions > 0) await pause(500, undefined, { signal });
  }

  async putBack(server: string): Promise<void> {
    await this.#ask(server, "PUT", { state: "ready" });
  }

  async #ask(server: string, method: "GET" | "PUT", body?: object): Promise<{ sessions: number }> {
    if (this.#url === undefined)
      throw new Error("MOP_BALANCER is not set; give the load balancer's address in it");
    const response = await fetch(`${this.#url}/servers/${encodeURIComponent(server)}`, {
      method,
      ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}),
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) throw new Error(`the load balancer answered ${response.status} about ${server}`);
    return (await response.json()) as { sessions: number };
  }
}
