/** What the benchmark pushes. */
import { randomBytes } from "node:crypto";
import { type PolicyFolder, policyFolder } from "../support/policies.js";

/** Where the role works: on a container's host, and in the folder that each host of the embedded lab has. */
const IN_CONTAINER = '"/srv/bench"';
const IN_LAB = "`${vars.root}/bench`";

const policy = (body: string, root = IN_CONTAINER) => `
import { definePolicy, defineRole } from "mop";

const bench = defineRole({
  name: "bench",
  vars: { port: 8080 },
  async main({ vars, directory, file, link, shell, echo }) {
    void [vars, directory, file, link, shell, echo];
    const root = ${root};
    ${body}
  },
});

export default definePolicy({ roles: [{ role: bench, groups: ["web"] }] });
`;

/** Kinds of resources as a plain role has them; every tenth is a template. */
const mixed = (count: number) => `
    await directory(root, { mode: 0o755 });
    for (let i = 1; i < ${count}; i++) {
      const name = \`\${root}/\${i}\`;
      if (i % 10 === 5) await file(name, { template: "app.conf.j2" });
      else if (i % 10 === 7) await link(name, { to: String(i - 1) });
      else if (i % 10 === 9) await shell(\`echo done > \${name}\`);
      else await file(name, { content: \`file \${i}\\n\`, mode: 0o644 });
    }`;

const FILES = { "app.conf.j2": "# Made by the benchmark\nport = {{ port }}\n" };

/** So many resources, each of which changes something where nothing is there yet. */
export const mixedPolicy = (count: number): PolicyFolder => policyFolder(policy(mixed(count)), FILES);

/** The same for hosts of the embedded lab. */
export const labPolicy = (count: number): PolicyFolder => policyFolder(policy(mixed(count), IN_LAB), FILES);

/** 20 resources, one of them a random file: incompressible, the worst case. */
export const payloadPolicy = (bytes: number): PolicyFolder =>
  policyFolder(policy(`${mixed(19)}\n    await file(\`\${root}/payload\`, { source: "payload.bin" });`), {
    ...FILES,
    "payload.bin": randomBytes(bytes),
  });

/** So many commands that change nothing worth naming. */
export const trivialPolicy = (count: number): PolicyFolder =>
  policyFolder(
    policy(`void root;
    for (let i = 0; i < ${count}; i++) await shell("true");`),
  );
