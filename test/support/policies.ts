/** Policies for runs against labs, written to a folder of their own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

export interface PolicyFolder {
  readonly folder: string;
  readonly policy: string;
  write(name: string, content: string | Uint8Array): string;
  remove(): void;
}

/** A folder with `policy.ts` and what it refers to. */
export function policyFolder(
  policy: string,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): PolicyFolder {
  const folder = mkdtempSync(path.join(os.tmpdir(), "mop-policy-"));
  const write = (name: string, content: string | Uint8Array) => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  return {
    folder,
    policy: write("policy.ts", policy),
    write,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A policy with one role "site" whose `main` has this body; `vars.root` is the host's own folder in the labs. */
export const rolePolicy = (body: string, entry = ""): string => `
import { definePolicy, defineRole } from "mop";

const site = defineRole({
  name: "site",
  async main({ vars, facts, host, check, file, directory, link, shell, echo }) {
    void [facts, host, check, file, directory, link, shell, echo];
    ${body}
  },
});

export default definePolicy({ roles: [{ role: site, groups: ["web"], ${entry} }] });
`;

/** Files, a template, a folder and a link, with a command that runs when the configuration changed. */
export const SHOP = rolePolicy(`
    await directory(\`\${vars.root}/shop\`, { mode: 0o750 });
    const conf = await file(\`\${vars.root}/shop/app.conf\`, { template: "app.conf.j2", mode: 0o640 });
    await file(\`\${vars.root}/shop/motd\`, { content: "Welcome\\n" });
    await file(\`\${vars.root}/shop/logo.bin\`, { source: "logo.bin" });
    await link(\`\${vars.root}/shop/current\`, { to: "app.conf" });
    if (conf.changed) await shell(\`date >> \${vars.root}/restarts\`);
`);

export const SHOP_FILES = {
  "app.conf.j2": "# The shop\nport = {{ port | default(8080) }}\nroot = {{ root }}\n",
  "logo.bin": new Uint8Array(3000).map((_, i) => (i * 7919) % 256),
};
