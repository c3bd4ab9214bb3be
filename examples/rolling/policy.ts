// A rolling update: one host, then three, then all others; each out of the load balancer while it is worked on; and no
// second run beside this one. The lock needs `npm install pg @types/pg` here.
//   MOP_BALANCER=http://lb:9999 MOP_LOCK=postgres://deploy@db/ops mop push examples/rolling -e version=v2
import { definePolicy, defineRole, tomlInventory } from "mop";
import { Balancer } from "./balancer.js";
import { RunLock } from "./lock.js";

const app = defineRole({
  name: "app",
  vars: { version: "v1", health: "test -s current/app.conf", patience: 30 },
  async main({ vars, facts, directory, file, link, shell, waitFor }) {
    const root = `${vars.root ?? `${facts.user.home}/mop-examples`}/rolling`;
    await directory(`${root}/releases/${vars.version}`);
    await file(`${root}/releases/${vars.version}/app.conf`, { template: "templates/app.conf.j2" });
    // One step from the old release to the new one.
    const current = await link(`${root}/current`, { to: `releases/${vars.version}` });
    // For a real one: await service("app", { restarted: true })
    if (current.changed) await shell("echo restarted >> restarts.log", { cwd: root });
    // A host that isn't healthy in time has failed, and the batches behind it are not begun.
    await waitFor("the app is healthy", {
      command: `cd '${root}' && ${vars.health}`,
      timeout: vars.patience,
    });
  },
});

// Old releases go when all hosts have the new one: a role starts when the one before went well everywhere.
const tidy = defineRole({
  name: "tidy",
  vars: { version: "v1" },
  async main({ vars, facts, shell }) {
    const root = `${vars.root ?? `${facts.user.home}/mop-examples`}/rolling/releases`;
    await shell('for old in *; do [ "$old" = "$VERSION" ] || { rm -r "$old"; echo "removed $old"; }; done', {
      cwd: root,
      env: { VERSION: vars.version },
      changedWhen: ({ stdout }) => stdout !== "",
    });
  },
});

const balancer = new Balancer(process.env.MOP_BALANCER);
const lock = new RunLock(
  "rolling update of the app",
  process.env.MOP_LOCK,
  Number(process.env.MOP_LOCK_WAIT ?? 600),
);

export default definePolicy({
  inventory: tomlInventory("inventory.toml"),
  roles: [
    {
      role: app,
      groups: ["web"],
      serial: [1, 3, "100%"],
      // Hooks run on this machine, for the hosts of a batch at once; --check calls none of them.
      async beforeContact(host, { signal }) {
        await lock.hold(signal);
        await balancer.takeOut(host.name, signal);
      },
      async afterContact(host, result) {
        // One that was changed and is not well gets no more traffic; one that was not touched is as good as before.
        if (result.status === "ok" || result.changed === 0) await balancer.putBack(host.name);
        else console.log(`${host.name} stays out of the load balancer: ${result.error}`);
      },
    },
    { role: tidy, groups: ["web"] },
  ],
});
