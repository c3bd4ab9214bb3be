import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadInventoryFile } from "../../engine/controller/inventory/source.js";
import { routePlanner } from "../../engine/controller/route/routes.js";
import type { PingEvent } from "../../engine/controller/run/ping-hosts.js";
import type { RunEvent } from "../../engine/vocabulary/events.js";
import { HOP_KINDS } from "../../relay/mesh/types.js";
import {
  changedOf,
  connectedOf,
  type MopRun,
  mop,
  resourcesOf,
  summaryOf,
  unreachableOf,
} from "../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../support/policies.js";
import { type ContainerLab, createContainerLab } from "./support/container-lab.js";
import { findEngine } from "./support/engine.js";
import { CLEAN_WITHIN_MS, oursOf } from "./support/looks.js";

const engine = await findEngine();

/**
 * Every kind of hop under every other, three deep, and a leaf behind. `auto` is an account that may run no command, so that
 * it comes down to a jump; `enter` is a chroot, `become` another account, by sudo, su or doas as deep as it stands. `local`
 * can only be the first.
 */
const KINDS = ["relay", "sealed", "jump", "auto", "enter", "become"] as const;
type Kind = (typeof KINDS)[number];
type First = Kind | "local";
type Route = readonly [First, Kind, Kind];
const FIRST: readonly First[] = [...KINDS, "local"];
const ROUTES = FIRST.flatMap((a) => KINDS.flatMap((b) => KINDS.map((c): Route => [a, b, c])));

const isCommand = (kind: First | undefined) => kind === "enter" || kind === "become";
/** A command hop right behind one that is passed as `kind`: where nothing of ours runs, nothing can be run. */
const commandBehind = (route: Route, kind: Kind) =>
  route.findIndex((one, index) => one === kind && isCommand(route[index + 1]));
const isRefused = (route: Route) => commandBehind(route, "jump") >= 0;
const PLANNED = ROUTES.filter((route) => !isRefused(route));
const isReached = (route: Route) => commandBehind(route, "auto") < 0;
const leafOf = (route: Route) => `l.${route.join(".")}`;
const hopsOf = (route: Route) => route.map((_, index) => `h.${route.slice(0, index + 1).join(".")}`);

const BECOME = ["sudo -n -u app --", "sudo -n su app -s /bin/sh -c {command}", "doas -n -u app"];
const ACCOUNTS = `
useradd -m app; useradd -m -p '*' jumper
printf 'app ALL=(ALL) NOPASSWD: ALL\\ndeploy ALL=(ALL) NOPASSWD: ALL\\n' >/etc/sudoers.d/lab
printf 'permit nopass app\\npermit nopass deploy\\n' >/etc/doas.conf; chmod 400 /etc/doas.conf
echo root:s3cret | chpasswd
printf 'Match User jumper\\n  ForceCommand /bin/false\\n' >/lab/jumper.conf
`;
const SSHD = "Include /lab/jumper.conf\nMaxStartups 500";
/** How each leaf becomes root in turn, or stays who it is */
const LEAF_BECOME = ["", ', mop_become = true, mop_become_method = "sudo"'].concat(
  ', mop_become = true, mop_become_method = "su", mop_become_password = "s3cret"',
  ', mop_become = true, mop_become_method = "doas"',
);

/** The variables of a route's hop. All hops are the one machine b1, a connection of its own for each name. */
function varsOf(route: Route, depth: number, { link, box }: { link: string; box: string }): string {
  const kind = route[depth]!;
  if (kind === "local") return 'mop_hop = "local"';
  const isHere = depth === 0 || (depth === 1 && route[0] === "local");
  if (isCommand(kind)) {
    const into = isHere ? `docker exec -i -u deploy ${box} ` : "";
    const words = kind === "become" ? BECOME[depth] : "sudo -n chroot --userspec=deploy /";
    return `mop_hop = "command"\nmop_command = "${into}${words}"`;
  }
  const user = kind === "auto" ? "jumper" : "deploy";
  return `mop_hop = "${kind}"\nmop_user = "${user}"\n${isHere ? link : 'mop_host = "b1"'}`;
}

describe.skipIf("missing" in engine)(
  `every kind of hop under every other, three deep ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let lab: ContainerLab;
    let policy: PolicyFolder;
    let options: string[];
    /** Events of all pings, and the status of those in which some leaf isn't reached */
    let pinged: Pick<MopRun, "events" | "status">;
    /** Inventory with these routes */
    let write: (name: string, routes: readonly Route[]) => string;

    beforeAll(async () => {
      if ("missing" in engine) return;
      policy = policyFolder(
        rolePolicy("await file(`/srv/${host.name}`, { content: facts.user.name + 'x'.repeat(50_000) });"),
      );
      lab = await createContainerLab({
        image: engine.image,
        bastions: 1,
        bastion: { prepare: ACCOUNTS, sshd: SSHD },
        leaves: { l1: { prepare: ACCOUNTS, sshd: SSHD } },
      });
      const { host, port } = lab.link;
      const link = `mop_host = "${host}"\nmop_port = ${port}`;
      const b1 = lab.host("b1");
      const known = readFileSync(lab.knownHostsFile, "utf8");
      writeFileSync(lab.knownHostsFile, `${known}b1 ${b1.hostKey}\n`);
      write = (name, routes) => {
        const hosts = new Map<string, string>();
        const leaves: string[] = [];
        for (const [index, route] of routes.entries()) {
          const names = hopsOf(route);
          for (const [depth, hop] of names.entries()) {
            const via = depth === 0 ? "" : `\nmop_via = "${names[depth - 1]}"`;
            hosts.set(hop, `${varsOf(route, depth, { link, box: b1.container.getId() })}${via}`);
          }
          const become = LEAF_BECOME[index % LEAF_BECOME.length];
          leaves.push(
            `"${leafOf(route)}" = { mop_host = "l1", mop_user = "deploy", mop_via = "${names[2]}"${become} }`,
          );
        }
        const tables = [...hosts].map(([hop, vars]) => `[hosts."${hop}".vars]\n${vars}\n`);
        const file = path.join(lab.folder, name);
        writeFileSync(file, `${tables.join("\n")}\n[groups.web.hosts]\n${leaves.join("\n")}\n`);
        return file;
      };
      options = [...lab.options.slice(2), "-o", "json", "--connect-timeout", "100"];
      const events: MopRun["events"][number][] = [];
      let worst = 0;
      // A ping for each kind that begins a route: all at once would be some 600 nodes on two machines
      for (const kind of FIRST) {
        const routes = PLANNED.filter(([first]) => first === kind);
        const {
          status,
          stderr,
          events: told,
        } = await mop(["ping", "-i", write(`${kind}.toml`, routes), ...options]);
        if (status === 1) throw new Error(stderr);
        worst = Math.max(worst, status ?? 0);
        events.push(...told);
      }
      pinged = { events, status: worst };
      // Each ping has its own bound; on a busy machine seven of them are long.
    }, 900_000);
    afterAll(async () => {
      policy?.remove();
      await lab?.close();
    });

    test("no kind is left out", () => {
      expect([...FIRST, "command"]).toEqual(expect.arrayContaining([...HOP_KINDS]));
    });

    test("a ping reaches every leaf over all of its hops", () => {
      const pings = (pinged.events as readonly (RunEvent | PingEvent)[]).filter(
        (one) => one.event === "ping",
      );
      const routes = new Map(pings.map(({ host, route }) => [host, route]));
      const wanted = PLANNED.filter(isReached);
      expect(wanted.filter((route) => !routes.has(leafOf(route))).map(leafOf)).toEqual([]);
      for (const route of wanted)
        expect(routes.get(leafOf(route))).toEqual([...hopsOf(route), leafOf(route)]);
      expect(pings).toHaveLength(wanted.length);
    });

    test("an auto that comes down to a jump is told at each place where it stands", () => {
      const jumps = new Map(
        connectedOf(pinged).map((event) => [event.host, (event.jumps ?? []).map(({ at }) => at)]),
      );
      for (const route of PLANNED.filter(isReached))
        expect(jumps.get(leafOf(route))).toEqual(hopsOf(route).filter((_, index) => route[index] === "auto"));
    });

    test("a command right behind an auto that can only be a jump is refused there, and nowhere else", () => {
      const lost = new Map(unreachableOf(pinged).map((event) => [event.host, event]));
      const wanted = PLANNED.filter((route) => !isReached(route));
      expect([...lost.keys()].sort()).toEqual(wanted.map(leafOf).sort());
      for (const route of wanted) {
        const at = hopsOf(route)[commandBehind(route, "auto")];
        expect(lost.get(leafOf(route))).toMatchObject({
          at,
          reason: expect.stringMatching(/the boot command ended before Node ran/),
        });
      }
      expect(pinged.status).toBe(4);
    });

    test("a command right behind a jump is refused before anything is contacted", async () => {
      const refused = ROUTES.filter(isRefused);
      expect(refused).toHaveLength(26);
      const planner = routePlanner(await loadInventoryFile(write("refused.toml", refused)));
      for (const route of refused) {
        const index = commandBehind(route, "jump");
        const [before, behind] = hopsOf(route).slice(index);
        await expect(planner.route(leafOf(route))).rejects.toThrow(
          `${before} has to run the command that leads into ${behind}, but it is passed as a jump, where nothing of mop runs; mop_hop = "relay" or "sealed" lets it`,
        );
      }
    });

    test("a push does its work behind every pair of kinds, and once more changes nothing", async () => {
      // Each pair at the first two places and at the last two
      const some = FIRST.flatMap((a, i) =>
        KINDS.map((b, j): Route => [a, b, KINDS[(i + j) % KINDS.length]!]),
      ).filter((route) => !isRefused(route) && isReached(route));
      const run = await mop(["push", policy.policy, "-i", write("some.toml", some), ...options, "--verify"]);
      expect(unreachableOf(run), run.stderr).toEqual([]);
      expect(run.status, run.stderr).toBe(0);
      for (const route of some) expect(changedOf(run, leafOf(route))).toEqual([`file ${leafOf(route)}`]);
      expect(resourcesOf(run).filter(({ status }) => status === "ok")).toHaveLength(some.length);
      expect(summaryOf(run).hosts).toMatchObject({ [leafOf(some[0]!)]: { changed: 1, failed: 0 } });
      const owners = await lab
        .host("l1")
        .sh("head -qc 4 /srv/l.* | fold -w 4 | sort | uniq -c | awk '{print $2}'");
      expect(owners.trim().split("\n").sort()).toEqual(["depl", "root"]);
    });

    test("nothing is left running on either machine", async () => {
      await expect.poll(() => oursOf(lab), { timeout: CLEAN_WITHIN_MS, interval: 500 }).toEqual([]);
    });
  },
);
