/**
 * What OpsMop documents and doesn't keep, where it takes root on a host to show it; the numbers are those of
 * test/lab/push/promises.test.ts, which has the rest.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../support/mop.js";
import { findEngine } from "./support/engine.js";
import { TypesHost } from "./support/types-host.js";

const engine = await findEngine("types");

/** Runs until it is told to end; its init script counts its starts, so that each is counted when it is told. */
const DAEMON = `printf '%s\\n' '#!/bin/sh' 'while :; do sleep 0.1; done' >/usr/local/bin/shop
cat >/etc/init.d/shop <<'SH'
#!/bin/sh
alive() { [ -f /run/shop.pid ] && kill -0 $(cat /run/shop.pid) 2>/dev/null; }
case $1 in
  start) alive || { echo start >>/var/log/shop; setsid /usr/local/bin/shop </dev/null >/dev/null 2>&1 & echo $! >/run/shop.pid; } ;;
  stop) alive && kill -9 $(cat /run/shop.pid); rm -f /run/shop.pid ;;
  restart) $0 stop; $0 start ;;
  status) alive || exit 3 ;;
esac
SH
chmod 755 /usr/local/bin/shop /etc/init.d/shop`;

describe.skipIf("missing" in engine)(
  `promises of OpsMop that take root ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let host: TypesHost;
    beforeAll(async () => {
      if ("missing" in engine) return;
      host = await TypesHost.start(engine.image, { prepare: DAEMON });
    });
    afterAll(() => host?.stop());

    test("7. a folder gets owner, group and mode, with all below it, in one run", async () => {
      await host.sh(
        "mkdir -p /srv/tree/a/b; touch /srv/tree/a/b/c; chmod -R 700 /srv/tree; ln -s /etc/passwd /srv/tree/out",
      );
      const body =
        'await mop.directory("/srv/tree", { recursive: true, owner: "daemon", group: "mail", mode: 0o750 });';
      expect(await host.applyTwice(body)).toEqual(["directory /srv/tree: owner, group, mode"]);
      const seen = await host.sh("find /srv/tree ! -type l -printf '%p %u %g %m\\n' | sort");
      expect(seen.trim().split("\n")).toEqual([
        "/srv/tree daemon mail 750",
        "/srv/tree/a daemon mail 750",
        "/srv/tree/a/b daemon mail 750",
        "/srv/tree/a/b/c daemon mail 750",
      ]);
      // A link that leads out is no way out.
      expect(await host.sh("stat -c %U /etc/passwd")).toBe("root\n");
    });

    test("7. pip is a provider: named, it looks into the virtual environment", async () => {
      await host.sh("python3 -m venv --without-pip --system-site-packages /srv/venv");
      const version = (await host.sh("/srv/venv/bin/python -m pip --version")).split(" ")[1];
      const named = 'provider: "pip", virtualenv: "/srv/venv"';
      const run = await host.local(`await mop.package("pip", { version: "${version}", ${named} });`);
      expect(run.seen, run.text).toEqual([expect.objectContaining({ type: "package", status: "ok" })]);
      // Installing, bringing up to date and removing is tried by test/states/tables/packages.ts.
      const checked = await host.local(`await mop.package("pip", { version: "1.0", ${named} });`, "--check");
      expect(checked.seen[0], checked.text).not.toMatchObject({ status: "ok" });
    });

    test("8. restarted restarts a service that runs", async () => {
      const starts = async () => Number(await host.sh("grep -c start /var/log/shop"));
      await host.local('await mop.service("shop", { provider: "sysvinit", started: true });');
      expect(await starts()).toBe(1);
      const old = await host.sh("cat /run/shop.pid");
      const run = await host.local('await mop.service("shop", { provider: "sysvinit", restarted: true });');
      expect(run.seen, run.text).toMatchObject([{ status: "changed", changes: ["restart"] }]);
      expect(await starts()).toBe(2);
      expect(await host.sh("cat /run/shop.pid")).not.toBe(old);
    });

    test("9. attributes of users and groups reach accounts that are there already", async () => {
      await host.sh("groupadd -g 4100 crew; useradd -u 4100 -g crew -s /bin/sh -c old ann; groupadd extra");
      const body = `
        await mop.group("crew", { gid: 4200 });
        await mop.user("ann", { uid: 4201, groups: ["extra"], shell: "/bin/bash", comment: "Ann", home: "/srv/ann" });`;
      expect(await host.applyTwice(body)).toEqual([
        "group crew: gid",
        expect.stringMatching(/^user ann: (?=.*uid)(?=.*groups)(?=.*shell)(?=.*comment)(?=.*home)/),
      ]);
      expect(await host.sh("getent passwd ann; getent group crew; id -Gn ann")).toBe(
        "ann:x:4201:4200:Ann:/srv/ann:/bin/bash\ncrew:x:4200:\ncrew extra\n",
      );
    });

    test("examples/user-facts: an administrator's facts reach a role, and one that it puts there itself after invalidate()", async () => {
      const policy = readFileSync(path.join(ROOT, "examples/user-facts/policy.ts"), "utf8");
      await host.container.copyContentToContainer([{ target: "/facts/policy.ts", content: policy }]);
      await host.sh("mkdir -p /etc/opsmop/facts.d; echo 'floor = 3' >/etc/opsmop/facts.d/place.toml");
      const run = () =>
        host.sh(
          "cd /facts && /mop/node /mop/dist/cli/main.js local . -e root=/srv/facts -e rack=r7 && cat /srv/facts/user-facts/host",
        );
      const first = await run();
      expect(first).toContain("in rack r7");
      expect(first).toContain("facts of its own: place rack\n");
      expect(await run()).toContain(" 0 changed");
    });
  },
);
