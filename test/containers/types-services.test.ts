import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findEngine } from "./support/engine.js";
import { TypesHost } from "./support/types-host.js";

const engine = await findEngine("types");

/** Runs until it is told to end. */
const DAEMON = `printf '%s\\n' '#!/bin/sh' 'while :; do sleep 0.1; done' >/usr/local/bin/shop
chmod 755 /usr/local/bin/shop; : >/var/log/shop`;

/** By the command line; the other managers are tried by states.test.ts. */
describe.skipIf("missing" in engine)(
  `services, for real ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let host: TypesHost;
    const log = async () => (await host.sh("cat /var/log/shop; : >/var/log/shop")).trim().split("\n").join();
    const service = (options: string) => `await mop.service("shop", ${options});`;
    const done = (...changes: string[]) => [`service shop: ${changes.join(", ")}`];

    describe("systemd", () => {
      /** Its starts and reloads are counted by systemd itself, which is not done before they stand there. */
      const counts = (word: string) => `/bin/sh -c "echo ${word} >>/var/log/shop"`;
      const UNIT = `[Service]\\nExecStart=/usr/local/bin/shop\\nExecStartPost=${counts("start")}\\nExecReload=${counts("reload")}\\n[Install]\\nWantedBy=multi-user.target\\n`;
      beforeAll(async () => {
        if ("missing" in engine) return;
        host = await TypesHost.start(engine.image, {
          systemd: true,
          prepare: `${DAEMON}; printf '${UNIT}' >/etc/systemd/system/shop.service`,
        });
      });
      afterAll(() => host?.stop());

      test("started, enabled, restarted, reloaded, stopped", async () => {
        const one = (options: string) => service(`{ provider: "systemd", ${options} }`);
        expect(await host.applyTwice(one("started: true, enabled: true"))).toEqual(done("enable", "start"));
        expect(await log()).toBe("start");
        const restart = await host.local(one("restarted: true"));
        expect(restart.seen, restart.text).toMatchObject([{ status: "changed", changes: ["restart"] }]);
        expect(await log()).toBe("start");
        const reload = await host.local(one("reloaded: true"));
        expect(reload.seen, reload.text).toMatchObject([{ status: "changed", changes: ["reload"] }]);
        expect(await log()).toBe("reload");
        expect(await host.applyTwice(one("started: false, enabled: false"))).toEqual(done("disable", "stop"));
        const again = await host.local(one("restarted: true"));
        expect(again.seen, again.text).toMatchObject([{ status: "changed", changes: ["restart"] }]);
        expect(await log()).toBe("start");
        expect(await host.applyTwice(one("started: false"))).toEqual(done("stop"));
        expect(await host.refusal(one("started: true").replace("shop", "nosuch"))).toBe(
          'there is no service "nosuch" on this host',
        );
      });

      test("is the provider of its own accord, masks and unmasks", async () => {
        await host.sh(
          "rm /etc/systemd/system/shop.service; printf '" +
            UNIT +
            "' >/usr/lib/systemd/system/shop.service; systemctl daemon-reload",
        );
        expect(await host.applyTwice(service("{ masked: true }"))).toEqual(done("mask"));
        expect(await host.refusal(service("{ started: true }"))).toContain('"masked: false" unmasks it');
        expect(await host.applyTwice(service("{ masked: false, started: true }"))).toEqual(
          done("unmask", "start"),
        );
        expect(await log()).toBe("start");
      });

      test("a new drop-in is read before the restart, and the check of both together says so", async () => {
        const body = `
          const limits = await mop.file("/etc/systemd/system/shop.service.d/env.conf", { content: "[Service]\\nEnvironment=A=1\\n" });
          await mop.service("shop", { daemonReload: true, started: true });
          if (limits.changed) await mop.service("shop", { restarted: true });`;
        await host.sh("mkdir -p /etc/systemd/system/shop.service.d");
        expect(await host.applyTwice(body)).toEqual([
          "file /etc/systemd/system/shop.service.d/env.conf: create",
          "service shop: daemonReload",
          "service shop: restart",
        ]);
        expect(await host.sh("systemctl show -p Environment shop")).toBe("Environment=A=1\n");
      });

      test("a new unit and its service are planned together", async () => {
        const body = `
          await mop.file("/etc/systemd/system/other.service", { content: "[Service]\\nExecStart=/bin/sleep 1000\\n[Install]\\nWantedBy=multi-user.target\\n" });
          await mop.service("other", { started: true, enabled: true });`;
        expect(await host.applyTwice(body)).toEqual([
          "file /etc/systemd/system/other.service: create",
          "service other: enable, start",
        ]);
      });

      test("under --check what a command might bring is planned, not refused", async () => {
        const body = `
          await mop.shell("true");
          await mop.service("later", { started: true, enabled: true });
          await mop.package("later", { provider: "pacman" });
          await mop.cron("later", { schedule: "@daily", command: "x", user: "later" });
          await mop.sysctl("net.later", { value: 1 });
          await mop.kernelModule("later");`;
        const checked = await host.local(body, "--check");
        expect(checked.status, checked.text).toBe(0);
        expect(checked.seen.slice(1).map(({ changes }) => changes.join())).toEqual([
          "enable,start",
          "install",
          "create",
          "file,live",
          "persistent,load",
        ]);
      });

      test("one that ends at once has failed to start", async () => {
        // Its start is not over before it has ended, however long that takes it.
        const ended = '/bin/sh -c "while kill -0 $MAINPID; do sleep 0.05; done"';
        await host.sh(
          `printf '[Service]\\nType=exec\\nExecStart=/bin/false\\nExecStartPost=${ended}\\n' >/etc/systemd/system/broken.service`,
        );
        const run = await host.local('await mop.service("broken", { started: true, timeout: 20 });');
        expect(run.status, run.text).toBe(2);
        expect(run.seen[0]?.error).toMatch(
          /it was started, but it is not running|systemctl ended with status/,
        );
      });
    });
  },
);
