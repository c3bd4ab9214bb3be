// Where a variable comes from; the last of these wins: group, host, policy, role, the role's entry, a template's own,
// --extra-vars. `mop push examples/variable-scopes`, then with `-e shared=extra`.
import { definePolicy, defineRole, tomlInventory } from "mop";

const scopes = defineRole({
  name: "scopes",
  vars: { who: "role", roleSays: "role", shared: "role" },
  async main({ vars, facts, directory, file }) {
    const root = `${vars.root ?? `${facts.user.home}/mop-examples`}/scopes-of-${vars.who}`;
    await directory(root);
    // Code has them in `vars`; this one is the role's, or whatever stood over it.
    await file(`${root}/code`, { content: `shared = ${vars.shared}\n` });
    // A template has them by their names, and over them what it is given itself.
    await file(`${root}/template`, { template: "templates/scopes.j2", vars: { localSays: "local" } });
    await file(`${root}/local`, {
      template: "templates/scopes.j2",
      vars: { localSays: "local", shared: "local" },
    });
  },
});

export default definePolicy({
  inventory: tomlInventory("inventory.toml"),
  vars: { policySays: "policy", shared: "policy" },
  roles: [
    { role: scopes },
    // The same role again, with other values: they stand over the role's own.
    { role: scopes, vars: { who: "entry", shared: "entry" } },
  ],
});
