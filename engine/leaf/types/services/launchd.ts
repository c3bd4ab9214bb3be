import { homedir } from "node:os";
import { ABSENT, type ServiceProvider } from "./provider.js";

/** Where launchd keeps the services of this user: root's are the system's. */
function place(name: string): { readonly domain: string; readonly file: string } {
  const uid = process.geteuid?.() ?? 0;
  return uid === 0
    ? { domain: "system", file: `/Library/LaunchDaemons/${name}.plist` }
    : { domain: `gui/${uid}`, file: `${homedir()}/Library/LaunchAgents/${name}.plist` };
}

/** The name is the label of its property list. */
export const launchd: ServiceProvider = {
  name: "launchd",
  suits: ({ serviceManager }) => serviceManager === "launchd",
  deeds: ["enable", "disable", "start", "stop", "restart"],
  async look(context, name) {
    const { domain, file } = place(name);
    const printed = await context.exec("launchctl", ["print", `${domain}/${name}`], { accept: "any" });
    const { files } = context;
    const loaded = printed.rc === 0;
    if (!loaded && !(await files.resolve(file, true)).entry) return ABSENT;
    const disabled = await context.exec("launchctl", ["print-disabled", domain]);
    const line = disabled.stdout.split("\n").find((one) => one.includes(`"${name}"`)) ?? "";
    return {
      exists: true,
      running: loaded && /^\s*state = running$/m.test(printed.stdout),
      enabled: !/=> (true|disabled)/.test(line),
    };
  },
  async act(context, deed, name) {
    const { domain, file } = place(name);
    const run = (...args: string[]) => context.exec("launchctl", args);
    if (deed === "enable" || deed === "disable") {
      await run(deed, `${domain}/${name}`);
      return;
    }
    // A service that shall be kept alive is ended for good only when launchd forgets it.
    if (deed === "stop") {
      await run("bootout", `${domain}/${name}`);
      return;
    }
    const printed = await context.exec("launchctl", ["print", `${domain}/${name}`], { accept: "any" });
    if (printed.rc !== 0) await run("bootstrap", domain, file);
    await run("kickstart", ...(deed === "restart" ? ["-k"] : []), `${domain}/${name}`);
  },
};
