// A small web shop on every host of the group `web`. Try it without any host of your own: `mop demo`.
// With yours: write their addresses into inventory.toml, then `mop push examples/shop/policy.ts --via b1,b2`.
import { definePolicy, defineRole, tomlInventory } from "mop";

export const web = defineRole({
  name: "web",
  vars: { port: 8080, items: ["tea", "coffee", "cocoa"] },

  // This function and what it imports travel to the host and run there; everything else here stays at home.
  async main({ vars, host, directory, file, link, shell, echo }) {
    // /srv needs root; a host variable `root` moves the shop to where the login user may write.
    const home = `${vars.root ?? "/srv"}/shop`;

    await directory(home, { mode: 0o755 });
    await directory(`${home}/conf`, { mode: 0o750 });
    const conf = await file(`${home}/conf/app.conf`, {
      template: "templates/app.conf.j2",
      vars: { home },
      mode: 0o640,
    });

    await directory(`${home}/site`, { mode: 0o755 });
    await file(`${home}/site/index.html`, { template: "templates/index.html.j2", mode: 0o644 });
    await file(`${home}/site/style.css`, { source: "files/style.css", mode: 0o644 });
    await file(`${home}/site/robots.txt`, { content: "User-agent: *\nDisallow: /cart\n", mode: 0o644 });
    await link(`${home}/current`, { to: "site" });

    await file(`${home}/check`, { source: "files/check", mode: 0o755 });
    // A command that only looks changes nothing.
    await shell("./check", { cwd: home, changedWhen: false });
    if (conf.changed) await shell("echo reloaded >> reloads.log", { cwd: home });

    await echo(`${host.name}: {{ app }} is ready on port {{ port }}`);
  },
});

export default definePolicy({
  inventory: tomlInventory("inventory.toml"),
  vars: { app: "shop" },
  roles: [{ role: web, groups: ["web"], serial: 50, tags: ["web"] }],
});
