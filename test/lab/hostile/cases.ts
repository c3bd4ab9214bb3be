/** What is checked of every attack, and of every run with attackers in it. */
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { escapeLine } from "../../../cli/output/escape.js";
import type { ErrorName } from "../../../transport/errors.js";
import { built, unreachableOf } from "../../support/mop.js";
import { createSites, type Outcome, type Site, type SiteOptions, type Sites } from "./sites.js";

/** How the run must tell of it. */
export type Told =
  /** The attack changed nothing: the host behind it did its work */
  | "unhurt"
  /** The relay's word was taken for its host's, which did nothing */
  | "believed"
  /** Out of the run at the site's bastion, or at the host behind it */
  | { readonly lostAt: "bastion" | "host"; readonly code: readonly ErrorName[]; readonly reason: RegExp }
  /** The role failed there, with this */
  | { readonly failed: RegExp };

export interface Case extends Partial<Omit<SiteOptions, "attack">> {
  readonly told: Told;
  /** Logins at the host behind the bastion, at most; default 1 */
  readonly logins?: number;
}

/** What the memory of the controller may grow by, whatever it is sent. */
const GROWTH_MAX = 200 << 20;
const RUN_MS = 55_000;

/** With one of these codes, where it is a matter of moments which. */
export const lost = (
  lostAt: "bastion" | "host",
  code: ErrorName | readonly ErrorName[],
  reason = /./,
): { told: Told } => ({ told: { lostAt, code: [code].flat(), reason } });
export const unhurt: { told: Told } = { told: "unhurt" };
export const believed: { told: Told } = { told: "believed" };
export const failed = (reason: RegExp): { told: Told } => ({ told: { failed: reason } });

/** One run of a push, a site each: what is done to one must not reach another. */
export function describeRun(
  name: string,
  double: SiteOptions["double"],
  cases: Readonly<Record<string, Case>>,
  args: readonly string[],
): void {
  describe.skipIf(!built)(name, () => {
    let sites: Sites;
    let run: Outcome;
    const at = (attack: string): Site => sites.sites.get(nameOf(attack))!;
    const nameOf = (attack: string) => `s${Object.keys(cases).indexOf(attack)}`;

    beforeAll(async () => {
      sites = await createSites(
        Object.fromEntries(
          Object.entries(cases).map(([attack, { told: _, logins: __, ...site }]) => [
            nameOf(attack),
            { double, attack, ...site },
          ]),
        ),
      );
      run = await sites.push("-o", "json", ...args);
    }, RUN_MS);
    afterAll(() => sites?.close());

    test.each(Object.entries(cases))("%s", (attack, { told, logins = 1 }) => {
      const site = at(attack);
      expect(site.acts(), "the attack took place").not.toBe("");
      expectTold(site, told);
      expect(site.bastion.logins).toBe(1);
      expect(site.host.logins).toBeLessThanOrEqual(logins);
      const record = site.record();
      for (const [what, needle] of sites.needles) expect(record.includes(needle), what).toBe(false);
      for (const key of sites.fair.keys())
        expect(record.includes(Buffer.from(key, "hex")), "a key of the honest host's session").toBe(false);
    });

    function expectTold(site: Site, told: Told): void {
      const host = `${site.name}-host`;
      const [out] = unreachableOf(run).filter((event) => event.host === host);
      const [role] = run.events.filter((event) => event.event === "role" && event.host === host);
      if (told === "unhurt" || told === "believed") {
        expect(out ?? role).toMatchObject({ event: "role", status: "ok" });
        expect(site.done()).toBe(told === "unhurt");
      } else if ("failed" in told) {
        expect(out ?? role).toMatchObject({ event: "role", status: "failed" });
        expect(role).toMatchObject({ error: expect.stringMatching(told.failed) });
      } else {
        const { lostAt, code, reason } = told;
        const hop = lostAt === "host" ? host : site.name;
        expect(out ?? role).toMatchObject({ at: hop, reason: expect.stringMatching(reason) });
        expect(code).toContain(out?.code);
      }
    }

    test("the honest host did its work over one login, and what only it may see was there to be seen", () => {
      const { fair } = sites;
      expect(fair.done()).toBe(true);
      expect([fair.bastion.logins, fair.host.logins]).toEqual([1, 1]);
      const record = fair.record();
      expect(record.includes(sites.needles.get("the honest host's file")!)).toBe(true);
      expect(fair.keys()).toHaveLength(2);
      for (const key of fair.keys()) expect(record.includes(Buffer.from(key, "hex"))).toBe(true);
    });

    test("nobody got in where this run has no business, and nothing ran on the controller", () => {
      expect(sites.vault.logins).toBe(0);
      expect(existsSync(sites.canary)).toBe(false);
    });

    test("the controller lived, stayed small, ended with the right status and kept control characters to itself", () => {
      const worst = Object.values(cases).map(({ told }) =>
        typeof told === "string" ? 0 : "failed" in told ? 2 : 4,
      );
      // A failure outranks a host that can't be reached
      expect(run.status, run.stderr).toBe(worst.includes(2) ? 2 : Math.max(...worst));
      expect(run.events.at(-1)).toMatchObject({ event: "summary" });
      expect(run.peak - run.early).toBeLessThan(GROWTH_MAX);
      for (const line of [...run.stdout.split("\n"), ...run.stderr.split("\n"), ...run.audit.split("\n")])
        expect(line).toBe(escapeLine(line));
    });
  });
}
