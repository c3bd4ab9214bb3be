import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type MopRun, mop, resourcesOf, startMop, summaryOf, unreachableOf } from "../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../support/policies.js";
import type { ContainerHostOptions } from "./support/container-host.js";
import { type ContainerLab, createContainerLab } from "./support/container-lab.js";
import { findEngine } from "./support/engine.js";
import { CLEAN_WITHIN_MS, processesOf } from "./support/looks.js";

const engine = await findEngine();

const SECRET = "c0rrect-horse";
const PASSWORD = `echo 'deploy:${SECRET}' | chpasswd`;
const ASKS = "echo 'deploy ALL=(ALL) ALL' >/etc/sudoers.d/lab";
const FREE = "echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/lab";
const doas = (rule: string) => `echo '${rule}' >/etc/doas.conf; chmod 400 /etc/doas.conf`;

const LEAVES: Record<string, ContainerHostOptions> = {
  free: { prepare: FREE },
  asks: { prepare: `${PASSWORD}; ${ASKS}`, vars: { mop_become_password: SECRET } },
  tty: {
    prepare: `${PASSWORD}; ${ASKS}; echo 'Defaults requiretty' >>/etc/sudoers.d/lab`,
    vars: { mop_become_password: SECRET },
  },
  bare: {
    prepare: `${PASSWORD}; ${ASKS}; echo 'Defaults requiretty' >>/etc/sudoers.d/lab; rm /usr/bin/script`,
    vars: { mop_become_password: SECRET },
  },
  freetty: { prepare: `${FREE}; echo 'Defaults requiretty' >>/etc/sudoers.d/lab` },
  su: {
    prepare: `echo 'root:${SECRET}' | chpasswd`,
    vars: { mop_become_method: "su", mop_become_password: SECRET },
  },
  doas: {
    prepare: `${PASSWORD}; ${doas("permit deploy")}`,
    vars: { mop_become_method: "doas", mop_become_password: SECRET },
  },
  freedoas: { prepare: doas("permit nopass deploy"), vars: { mop_become_method: "doas" } },
  app: { prepare: `useradd -m app; ${FREE}`, vars: { mop_become_user: "app" } },
  wrong: { prepare: `${PASSWORD}; ${ASKS}`, vars: { mop_become_password: "wr0ng-horse" } },
  wrongsu: {
    prepare: `echo 'root:${SECRET}' | chpasswd`,
    vars: { mop_become_method: "su", mop_become_password: "wr0ng-horse" },
  },
  silent: { prepare: `${PASSWORD}; ${ASKS}` },
  forbidden: { prepare: PASSWORD, vars: { mop_become_password: SECRET } },
  without: { vars: { mop_become_method: "doas", mop_become_user: "nobody-there" } },
};
const AS_ROOT = ["free", "asks", "tty", "freetty", "su", "doas", "freedoas"];
const REFUSED: Record<string, RegExp> = {
  wrong: /password.*refused/,
  bare: /a terminal is wanted there .* no `script` to give one \(mop_hop = "sealed" for the host before it/,
  wrongsu: /becoming another user failed.*Authentication failure/,
  silent: /becoming another user failed.*password is required/,
  forbidden: /becoming another user failed.*not (allowed|in the sudoers)/i,
  without: /becoming another user failed/,
};

/** Hosts that are looked into while their roles run, which wait for that. */
const LOOKED_INTO = ["b1", "b2", "asks", "su", "doas"];
const WAIT = "until [ -e /tmp/go ]";
const BODY = `
    await shell("id -un; echo HOME=$HOME LC=$LC_ALL", { readOnly: true });
    await file(\`\${facts.user.home}/made\`, { content: facts.user.name + "\\n" + "x".repeat(300_000) });
    await shell("${WAIT}; do sleep 0.1; done", { timeout: 100 });
`;

describe.skipIf("missing" in engine)(
  `a role that becomes another user on OpenSSH hosts ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let lab: ContainerLab;
    let policy: PolicyFolder;
    let run: MopRun;
    /** What anybody could see in /proc of every host while the role ran */
    const seen = new Map(LOOKED_INTO.map((name) => [name, ""]));
    beforeAll(async () => {
      if ("missing" in engine) return;
      policy = policyFolder(rolePolicy(BODY, "become: true"));
      lab = await createContainerLab({ image: engine.image, leaves: LEAVES });
      const running = startMop(["push", policy.policy, ...lab.options, "-o", "json"]);
      const look = async () => {
        for (const [name, text] of seen) seen.set(name, text + (await lab.host(name).visible()));
      };
      const allRun = () => [...seen].every(([name, text]) => text.includes(WAIT) || /^b\d$/.test(name));
      let over = false;
      const looking = (async () => {
        for (let told = false; !over; ) {
          await look();
          if (told || !allRun()) continue;
          told = true;
          await Promise.all(lab.leaves.map((leaf) => lab.host(leaf).sh("touch /tmp/go")));
        }
      })();
      run = await running.done;
      over = true;
      await looking;
      if (run.status === 1) throw new Error(run.stderr);
    });
    afterAll(async () => {
      policy?.remove();
      await lab?.close();
    });

    const outputOf = (host: string) =>
      run.events
        .flatMap((event) => (event.event === "output" && event.host === host ? [event.text] : []))
        .join("");

    for (const leaf of AS_ROOT)
      test(`${leaf}: all of it runs as root, with root's home and the host's own language`, async () => {
        expect(unreachableOf(run).filter((event) => event.host === leaf)).toEqual([]);
        expect(outputOf(leaf)).toBe("root\nHOME=/root LC=\n");
        expect(summaryOf(run).hosts[leaf]).toMatchObject({ failed: 0, unreachable: false });
        expect(await lab.host(leaf).sh("stat -c '%U %s' /root/made; head -n 1 /root/made")).toBe(
          "root 300005\nroot\n",
        );
      });

    test("app: the user may be another than root", async () => {
      expect(outputOf("app")).toBe("app\nHOME=/home/app LC=\n");
      expect(await lab.host("app").sh("stat -c '%U' /home/app/made")).toBe("app\n");
      // Its log as well: the one who logged in has none
      expect(await lab.host("app").sh("stat -c '%U %a' /home/app/.mop/mop.log; ls -a /home/deploy")).toMatch(
        /^app 600\n(?![\s\S]*\.mop)/,
      );
    });

    for (const [leaf, reason] of Object.entries(REFUSED))
      test(`${leaf}: refused with one sentence, and nothing was done there`, async () => {
        const lost = unreachableOf(run).filter((event) => event.host === leaf);
        expect(lost).toEqual([expect.objectContaining({ at: leaf, reason: expect.stringMatching(reason) })]);
        expect(lost[0]?.reason).toMatch(/^[^\n]+$/);
        expect(resourcesOf(run, leaf)).toEqual([]);
      });

    test("no password was in any argument, environment, event or message", () => {
      for (const name of ["asks", "su", "doas"]) expect(seen.get(name), name).toContain(WAIT);
      for (const text of [...seen.values(), run.stdout, run.stderr]) {
        expect(text).not.toContain(SECRET);
        expect(text).not.toContain("wr0ng");
      }
    });

    test("no password was written to any host", async () => {
      for (const name of [...lab.hosts.keys()])
        expect(
          await lab
            .host(name)
            .sh(`grep -rlE 'c0rrect|wr0ng' /root /home /tmp /var /run /dev/shm /srv 2>/dev/null || true`),
          name,
        ).toBe("");
    });

    test("a wrong password is tried once only", async () => {
      // One line in sudo's own words; a second try would be counted there.
      expect(unreachableOf(run).find((event) => event.host === "wrong")?.reason).not.toMatch(/3 incorrect/);
    });

    test("a role may forbid it where --become asks for it, and name another user", async () => {
      const other = policyFolder(rolePolicy(BODY, 'become: "app"'));
      const never = policyFolder(rolePolicy(BODY.replace("${facts.user.home}", "/srv"), "become: false"));
      try {
        const only = ["--limit-hosts", "app", ...lab.options, "-o", "json", "--become"];
        const as = await mop(["push", other.policy, ...only]);
        expect(as.status, as.stderr).toBe(0);
        const not = await mop(["push", never.policy, ...only]);
        expect(not.status, not.stderr).toBe(0);
        expect(await lab.host("app").sh("head -n 1 /srv/made")).toBe("deploy\n");
      } finally {
        other.remove();
        never.remove();
      }
    });

    test("a command becomes another user too", async () => {
      const as = await mop([
        "run",
        "-b",
        "--limit-hosts",
        "free,doas",
        ...lab.options,
        "-o",
        "json",
        "--",
        "id -un",
      ]);
      expect(as.status, as.stderr).toBe(0);
      const texts = as.events.flatMap((event) => (event.event === "output" ? [event.text] : []));
      expect(texts.sort()).toEqual(["root\n", "root\n"]);
    });

    test("Ctrl-C ends what runs as root", async () => {
      const running = startMop([
        ...["run", "-b", "--limit-hosts", "free,tty,su,doas", ...lab.options, "-o", "json"],
        ...["--", "sleep 98"],
      ]);
      await expect
        .poll(async () => (await lab.host("su").processes()).join("\n"), { timeout: 120_000, interval: 300 })
        .toContain("sleep 98");
      running.child.kill("SIGINT");
      expect((await running.done).status).toBe(130);
      await expect.poll(() => processesOf(lab), { timeout: CLEAN_WITHIN_MS, interval: 500 }).toEqual([]);
    });
  },
);
