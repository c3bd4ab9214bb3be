// A push over bastions: who is contacted, in which order, and what the controller does around it.
//   mop validate examples/push       what is wrong, without contacting anything
//   mop ping -i examples/push/inventory.toml
//   mop push examples/push --check --diff; mop push examples/push; mop push examples/push --tags report
import { definePolicy, defineRole, tomlInventory } from "mop";

const site = defineRole({
  name: "site",
  // This travels to each host and runs there, with the host's own facts and variables.
  async main({ vars, facts, host, directory, file }) {
    const root = `${vars.root ?? `${facts.user.home}/mop-examples`}/push`;
    await directory(root);
    await file(`${root}/index.html`, { template: "templates/index.html.j2", vars: { name: host.name } });
  },
});

const report = defineRole({
  name: "report",
  async main({ vars, facts, echo }) {
    const size = await facts.file.size(`${vars.root ?? `${facts.user.home}/mop-examples`}/push/index.html`);
    await echo("{{ size }} bytes", { vars: { size: size ?? "no" } });
  },
});

export default definePolicy({
  inventory: tomlInventory("inventory.toml"),
  roles: [
    {
      role: site,
      groups: ["web"],
      tags: ["site"],
      // One host first; when it went well, the others two by two. A failed batch stops those behind it.
      serial: [1, 2],
      // These run on the controller. A host in maintenance is left out; the hooks are where a load balancer or a
      // monitoring system is told (examples/rolling does it). What they print is told on stderr.
      shouldContact: (host) => host.vars.maintenance === undefined,
      beforeContact: (host) => console.log(`${host.name}: out`),
      afterContact: (host, result) =>
        console.log(`${host.name}: in, ${result.status}, ${result.changed} changed`),
    },
    // A role starts when the one before is over on all hosts. This one needs no order among them.
    { role: report, groups: ["web"], tags: ["report"] },
  ],
});
