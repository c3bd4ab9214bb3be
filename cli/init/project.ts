import type { ProjectFile } from "./write-project.js";

const POLICY = `// What runs where. \`mop validate\` looks through it, \`mop push --check --diff\` says what it would do,
// \`mop push\` does it on the hosts of inventory.toml, \`mop local\` on this machine.
import { definePolicy, defineRole, tomlInventory } from "mop";

export const hello = defineRole({
  name: "hello",
  // Defaults; an entry below, the inventory and --extra-vars give others.
  vars: { greeting: "Hello", folder: "mop-hello" },

  // This function, and what it imports, travels to each host and runs there; all else in this file stays here.
  async main({ vars, directory, file, shell, echo }) {
    const home = \`~/\${vars.folder}\`;
    await directory(home, { mode: 0o755 });

    // A template sees the variables, the host's facts, and what is given here. Paths are relative to this file.
    const page = await file(\`\${home}/hello.txt\`, {
      template: "templates/hello.txt.j2",
      vars: { home },
      mode: 0o644,
    });
    // A file that is copied as it is.
    await file(\`\${home}/check\`, { source: "files/check", mode: 0o755 });

    // What a resource gives tells whether it changed anything. It is plain TypeScript: if, for, try, any import.
    if (page.changed) await echo("the greeting is new, by {{ owner }}");
    // A command that only looks changes nothing, and may run under --check too, where its file may be missing still.
    await shell(\`test ! -x \${home}/check || \${home}/check \${home}/hello.txt\`, { readOnly: true });
  },
});

export default definePolicy({
  inventory: tomlInventory("inventory.toml"),
  // For all roles. A secret is masked in whatever mop shows: vars: { token: secret(process.env.TOKEN ?? "") },
  // with \`secret\` imported from "mop".
  vars: { owner: "the mop project" },
  // In this order, each on all its hosts before the next one starts.
  roles: [{ role: hello, groups: ["web"], tags: ["hello"] }],
});
`;

const INVENTORY = `# Hosts, groups and their variables; \`mop inventory\` shows how they resolve.

[groups.web.hosts]
# This machine, without ssh, so that there is something to try
here = { mop_hop = "local" }
# Hosts of yours: the shorthand, or a table
# l1 = "mop_host=10.0.0.11 greeting=Hi"
# l2 = { mop_host = "10.0.0.12", greeting = "Good morning" }

[groups.web.vars]
# Reached through b2, which is reached through b1
# mop_via = "b2"

# [hosts.b2.vars]
# mop_host = "10.0.0.2"
# mop_via = "b1"

# [hosts.b1.vars]
# mop_host = "bastion.example.com"

[groups.all.vars]
# Login name; OpenSSH's configuration and known_hosts are read too
# mop_user = "deploy"
# Variables whose values are masked in all output
# mop_secrets = ["db_password"]
`;

const TEMPLATE = `{# As in Jinja and Ansible; a variable that is not defined is an error. -#}
{{ greeting }} from {{ host.name }}, which runs {{ facts.distribution.name | default(facts.platform, true) }}.
This file is kept in {{ home }} by {{ owner }}.
`;

const CHECK = `#!/bin/sh
# Whether the file that is named greets somebody
grep -q from "$1"
`;

const tsconfig = (
  types: string,
): string => `// For the editor alone: mop brings its own checker. The path is that of the mop that wrote this file.
{
  "compilerOptions": {
    "strict": true,
    "noEmit": true,
    "target": "ES2023",
    "module": "ESNext",
    "moduleResolution": "Bundler",
    "skipLibCheck": true,
    "paths": { "mop": [${JSON.stringify(types)}] }
  },
  "include": ["*.ts"]
}
`;

/** A project that does something harmless on the machine at hand; `types` is where the package "mop" has them. */
export const projectFiles = (types: string): ProjectFile[] => [
  { name: "policy.ts", text: POLICY },
  { name: "inventory.toml", text: INVENTORY },
  { name: "templates/hello.txt.j2", text: TEMPLATE },
  { name: "files/check", text: CHECK, executable: true },
  { name: "tsconfig.json", text: tsconfig(types) },
];
