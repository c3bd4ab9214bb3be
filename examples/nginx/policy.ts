// A real service, from nothing to running: a package, its configuration from a template, checked before it is put in
// place, a site, and a service that is restarted or reloaded when there is a reason. On Debian and its relatives.
//   mop push examples/nginx --check --diff; mop push examples/nginx; mop push examples/nginx -e greeting=Servus
import { definePolicy, defineRole, tomlInventory } from "mop";

const nginx = defineRole({
  name: "nginx",
  vars: { port: 80, greeting: "Hello" },
  async main({ vars, facts, package: pkg, file, directory, service, waitFor }) {
    // The lists are fetched where something is to be installed, and only then.
    const installed = await pkg("nginx", { updateCache: true });

    await directory("/srv/www", { mode: 0o755 });
    await file("/srv/www/index.html", { template: "templates/index.html.j2", mode: 0o644 });

    // nginx looks at the new configuration, %s, while the old one is still in place. When it finds fault with it, the
    // resource fails with what it said, the old file stays, and the running server never notices.
    const conf = await file("/etc/nginx/nginx.conf", {
      template: "templates/nginx.conf.j2",
      mode: 0o644,
      backup: true,
      validate: "nginx -t -q -c %s",
    });

    // A new nginx is restarted, which reads the configuration too; for an edit a reload will do, which drops no request.
    await service("nginx", {
      started: true,
      enabled: true,
      restarted: installed.changed,
      reloaded: conf.changed && !installed.changed,
      // A container has no init that could be asked; Debian's init scripts do there as well.
      ...(facts.serviceManager === null ? { provider: "sysvinit" } : {}),
    });

    // The service runs; now see that it serves. A role that fails here stops the batches behind it.
    await waitFor("the site answers", {
      url: `http://127.0.0.1:${vars.port}/`,
      contains: vars.greeting,
      timeout: 15,
      interval: 0.2,
    });
  },
});

export default definePolicy({
  inventory: tomlInventory("inventory.toml"),
  // All of it needs root. One host first; the others only when its site answers.
  roles: [{ role: nginx, groups: ["web"], become: true, serial: [1, "100%"] }],
});
