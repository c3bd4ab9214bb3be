import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findEngine } from "./support/engine.js";
import { TypesHost } from "./support/types-host.js";

const engine = await findEngine("types");

describe.skipIf("missing" in engine)(
  `cron, sysctl, hostname, mount and kernelModule, for real ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let host: TypesHost;
    beforeAll(async () => {
      if ("missing" in engine) return;
      host = await TypesHost.start(engine.image, {
        prepare: "useradd -m shop; printf 'MAILTO=root\\n1 1 * * * /first\\n' | crontab -u shop -",
      });
    });
    afterAll(() => host?.stop());

    test("cron: jobs are made, changed and removed, and the crontab's other lines stay", async () => {
      const jobs = (hour: number) => `
        await mop.cron("backup", { hour: ${hour}, minute: 15, command: "/bin/backup >/dev/null", user: "shop" });
        await mop.cron("reports", { schedule: "@daily", command: "/bin/reports" });
        await mop.cron("sweep", { schedule: "*/5 * * * *", command: "/bin/sweep", file: "/etc/cron.d/sweep", user: "shop" });`;
      expect(await host.applyTwice(jobs(3))).toEqual([
        "cron backup: create",
        "cron reports: create",
        "cron sweep: create",
      ]);
      expect(await host.applyTwice(jobs(4))).toEqual(["cron backup: change"]);
      expect(await host.sh("crontab -u shop -l")).toBe(
        "MAILTO=root\n1 1 * * * /first\n# mop: backup\n15 4 * * * /bin/backup >/dev/null\n",
      );
      expect(await host.sh("cat /etc/cron.d/sweep")).toBe("# mop: sweep\n*/5 * * * * shop /bin/sweep\n");
      const gone = `await mop.cron("backup", { user: "shop", absent: true }); await mop.cron("sweep", { file: "/etc/cron.d/sweep", absent: true });`;
      expect(await host.applyTwice(gone)).toEqual(["cron backup: remove", "cron sweep: remove"]);
      expect(await host.sh("crontab -u shop -l; ls /etc/cron.d")).not.toMatch(/backup|sweep/);
      expect(
        await host.refusal('await mop.cron("x", { schedule: "@daily", command: "x", user: "nosuch" });'),
      ).toContain("the crontab of nosuch can't be read");
    });

    test("sysctl: the kernel and the file have the value", async () => {
      const body =
        'await mop.sysctl("net.ipv4.ip_forward", { value: 0 }); await mop.sysctl("net.ipv4.ip_local_port_range", { value: "20000 40000" });';
      expect(await host.applyTwice(body)).toEqual([
        "sysctl net.ipv4.ip_forward: file, live",
        "sysctl net.ipv4.ip_local_port_range: file, live",
      ]);
      expect(
        await host.sh(
          "sysctl -n net.ipv4.ip_forward net.ipv4.ip_local_port_range; cat /etc/sysctl.d/99-mop.conf",
        ),
      ).toBe("0\n20000\t40000\nnet.ipv4.ip_forward = 0\nnet.ipv4.ip_local_port_range = 20000 40000\n");
      expect(await host.applyTwice('await mop.sysctl("net.ipv4.ip_forward", { absent: true });')).toEqual([
        "sysctl net.ipv4.ip_forward: file",
      ]);
      expect(await host.refusal('await mop.sysctl("net.nosuch", { value: 1 });')).toContain(
        "the kernel has no setting",
      );
    });

    test("hostname: the kernel and the file have it", async () => {
      expect(await host.applyTwice('await mop.hostname("shop1");')).toEqual(["hostname shop1: file, live"]);
      expect(await host.sh("uname -n; cat /etc/hostname")).toBe("shop1\nshop1\n");
    });

    test("mount: mounted with other options, unmounted, absent; fstab's other lines stay", async () => {
      await host.sh("printf '# ours\\nproc /proc proc defaults 0 0\\n' >/etc/fstab; mkdir -p '/srv/my data'");
      const mount = (options: string) => `await mop.mount("/srv/my data", { ${options} });`;
      const tmpfs = (options: string) => `device: "tmpfs", type: "tmpfs", options: "${options}"`;
      expect(await host.applyTwice(mount(tmpfs("size=1m")))).toEqual(["mount /srv/my data: fstab, mount"]);
      expect(await host.sh("findmnt -no OPTIONS '/srv/my data'")).toContain("size=1024k");
      expect(await host.applyTwice(mount(tmpfs("size=2m,ro")))).toEqual([
        "mount /srv/my data: fstab, remount",
      ]);
      expect(await host.sh("findmnt -no OPTIONS '/srv/my data'")).toMatch(/^ro.*size=2048k/);
      expect(await host.applyTwice(mount('state: "unmounted"'))).toEqual(["mount /srv/my data: unmount"]);
      expect(await host.sh("cat /etc/fstab")).toBe(
        "# ours\nproc /proc proc defaults 0 0\ntmpfs /srv/my\\040data tmpfs size=2m,ro 0 0\n",
      );
      expect(await host.applyTwice(mount(tmpfs("size=2m,ro")))).toEqual(["mount /srv/my data: mount"]);
      expect(await host.applyTwice(mount('state: "absent"'))).toEqual(["mount /srv/my data: unmount, fstab"]);
      expect(await host.applyTwice(mount(`${tmpfs("size=1m")}, state: "present"`))).toEqual([
        "mount /srv/my data: fstab",
      ]);
      expect(
        await host.refusal('await mop.mount("/srv/none", { device: "tmpfs", type: "tmpfs" });'),
      ).toContain("make it with directory() before");
    });

    test("kernelModule: the next start's files; what the kernel does not have is refused", async () => {
      // A container may not load modules, so only one that its kernel has already can be had.
      const [module] = (await host.sh("ls /sys/module")).split("\n");
      const body = `await mop.kernelModule("${module}", { parameters: "trial=1" });`;
      expect(await host.applyTwice(body)).toEqual([`kernelModule ${module}: persistent, parameters`]);
      expect(await host.sh(`cat /etc/modules-load.d/${module}.conf /etc/modprobe.d/${module}.conf`)).toBe(
        `${module}\noptions ${module} trial=1\n`,
      );
      expect(await host.refusal('await mop.kernelModule("nosuch_module");')).toContain(
        'has no module "nosuch_module"',
      );
    });
  },
);
