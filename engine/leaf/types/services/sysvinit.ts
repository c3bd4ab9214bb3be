import type { TypeContext } from "../../type.js";
import { ABSENT, type ServiceProvider } from "./provider.js";

/** Runlevels of a host that serves; 0, 1 and 6 are for its end and for repairs. */
const LEVELS = ["2", "3", "4", "5"];

/** Scripts in /etc/init.d, started by links in /etc/rc3.d. */
export const sysvinit: ServiceProvider = {
  name: "sysvinit",
  suits: ({ serviceManager }) => serviceManager === "sysvinit",
  deeds: ["enable", "disable", "start", "stop", "restart", "reload"],
  async look(context, name) {
    const { files } = context;
    const script = await files.resolve(`/etc/init.d/${name}`, true);
    if (!script.entry) return ABSENT;
    const { rc } = await context.exec("service", [name, "status"], { accept: "any" });
    return { exists: true, running: rc === 0, enabled: await isEnabled(context, name) };
  },
  async act(context, deed, name) {
    if (deed !== "enable" && deed !== "disable") {
      await context.exec("service", [name, deed]);
      return;
    }
    const { files } = context;
    if ((await files.resolve("/usr/sbin/update-rc.d", true)).entry) {
      // Links that were never made are made as the script says; those that were disabled are turned.
      if (deed === "enable") await context.exec("update-rc.d", [name, "defaults"]);
      await context.exec("update-rc.d", [name, deed]);
    } else {
      if (deed === "enable") await context.exec("chkconfig", ["--add", name]);
      await context.exec("chkconfig", [name, deed === "enable" ? "on" : "off"]);
    }
  },
};

async function isEnabled({ files }: TypeContext, name: string): Promise<boolean> {
  const link = new RegExp(`^S\\d\\d${name.replace(/[.+]/g, "\\$&")}$`);
  for (const level of LEVELS) {
    const folder = await files.resolve(`/etc/rc${level}.d`, true);
    if (folder.entry?.kind === "directory" && (await files.list(folder.path)).some((one) => link.test(one)))
      return true;
  }
  return false;
}
