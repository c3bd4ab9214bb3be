import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PolicyFolder, policyFolder } from "../support/policies.js";
import { answering, hasTerminal } from "../support/terminal.js";
import type { ContainerHostOptions } from "./support/container-host.js";
import { type ContainerLab, createContainerLab } from "./support/container-lab.js";
import { coreDumpsOf, noCoreDumps } from "./support/core-dump.js";
import { findEngine } from "./support/engine.js";
import { foundIn, type MemoryLook, memoryOf, type Needles, needlesOf, planted } from "./support/memory.js";
import { tapNodes, tapWires } from "./support/taps.js";

const engine = await findEngine();
const missing =
  "missing" in engine ? engine.missing : hasTerminal ? undefined : "no `script` to have a terminal";

const SECRETS = {
  token: "tok-93f0c2d1e8-of-the-inventory",
  api: "api-5be1d077-of-the-policy",
  made: "made-c41f9e-on-the-host",
  passphrase: "phrase-7d20aa-of-the-key",
  login: "login-b81c3e-of-l2",
  sudo: "sudo-2f6e90-of-l1",
  tty: "sudo-90ac1d-of-tty",
  su: "su-d3714b-of-l3",
  doas: "doas-e02c58-of-l4",
};
/** Goes to a host that has no secrets, as it is: what the looks for the others must be able to find. */
const OPEN = "open-68d1f3-seen-by-all-on-the-way";
/** Looks at each relay, from its start until the roles may end. */
const LOOKS = 4;
const RELAY = "mop relay of ";
/** Bytes that a relay which runs holds at least, with all that it can show */
const WHOLE = 10_000_000;

const password = (secret: string) => `echo 'deploy:${secret}' | chpasswd`;
const sudoers = (...lines: string[]) => lines.map((line) => `echo '${line}' >>/etc/sudoers.d/lab`).join("; ");
const ASKS = "deploy ALL=(ALL) ALL";
const SECRET_VARS = { token: SECRETS.token, mop_secrets: "token" };
const LEAVES: Record<string, ContainerHostOptions> = {
  l1: {
    prepare: `${password(SECRETS.sudo)}; ${sudoers(ASKS)}`,
    vars: { ...SECRET_VARS, mop_become_password: SECRETS.sudo },
  },
  l2: {
    prepare: `${password(SECRETS.login)}; ${sudoers("deploy ALL=(ALL) NOPASSWD: ALL")}; : >/lab/authorized_keys`,
    sshd: "PasswordAuthentication yes",
    vars: { ...SECRET_VARS, mop_password: SECRETS.login },
  },
  tty: {
    prepare: `${password(SECRETS.tty)}; ${sudoers(ASKS, "Defaults requiretty")}`,
    vars: { ...SECRET_VARS, mop_become_password: SECRETS.tty },
  },
  l3: {
    prepare: `echo 'root:${SECRETS.su}' | chpasswd`,
    vars: { ...SECRET_VARS, mop_become_method: "su", mop_become_password: SECRETS.su },
  },
  l4: {
    prepare: `${password(SECRETS.doas)}; echo 'permit deploy' >/etc/doas.conf; chmod 400 /etc/doas.conf`,
    vars: { ...SECRET_VARS, mop_become_method: "doas", mop_become_password: SECRETS.doas },
  },
  plain: { vars: { open: OPEN } },
};
const SEALED = Object.keys(LEAVES).filter((name) => name !== "plain");

const POLICY = `
import { definePolicy, defineRole, secret } from "mop";

const plain = defineRole({ name: "plain", async main({ vars, echo }) { await echo(String(vars.open)); } });
const site = defineRole({
  name: "site",
  async main({ vars, file, shell, fetch, host }) {
    const made = secret(["made", "c41f9e", "on-the-host"].join("-"));
    const conf = \`token = \${vars.token}\\napi = \${vars.api}\\nmade = \${made}\\n\`;
    await file("/srv/conf", { content: conf, mode: 0o600 });
    await shell("cat /srv/conf; n=0; until [ -e /tmp/go ] || [ $n -gt 1500 ]; do n=$((n+1)); sleep 0.1; done; cat /srv/conf >&2");
    await fetch("/srv/conf", { to: "fetched" });
  },
});
export default definePolicy({
  roles: [
    { role: plain, groups: ["plain"] },
    { role: site, groups: ["web"], become: true, vars: { api: secret(process.env.API ?? "") } },
  ],
});
`;

describe.skipIf(missing !== undefined)(`bastions that secrets pass ${missing ? `(${missing})` : ""}`, () => {
  let lab: ContainerLab;
  let policy: PolicyFolder;
  let needles: Needles;
  let node: Awaited<ReturnType<typeof tapNodes>>;
  let wire: Buffer;
  let status: number | null;
  let screen = "";
  /** What the memory of each bastion held, look after look, while the push ran */
  const looks = new Map<string, MemoryLook[][]>();
  /** Of each bastion's relay, with the roles in their midst */
  const dumps = new Map<string, readonly Buffer[]>();

  beforeAll(async () => {
    if ("missing" in engine) return;
    lab = await createContainerLab({
      image: engine.image,
      leaves: LEAVES,
      groupOf: (leaf) => (leaf === "plain" ? "plain" : "web"),
    });
    policy = policyFolder(POLICY);
    needles = needlesOf({ ...SECRETS, ...keyParts(readFileSync(lab.identityFile, "utf8")) });
    execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", SECRETS.passphrase, "-f", lab.identityFile]);
    const b1 = lab.host("b1");
    node = await tapNodes(b1);
    const wires = await tapWires(b1);
    // A longer way makes the logins and hand-offs last, so that they are looked at too.
    lab.link.setDelay(60);
    let over = false;
    for (const name of lab.bastions) looks.set(name, []);
    // The roles wait until each relay was looked at so often, and what goes to the plain host was seen there
    const enough = () => lab.bastions.every((name) => relays(name).length >= LOOKS && showsOpen(name));
    const watch = async (name: string) => {
      for (let told = false; !over; ) {
        looks.get(name)!.push(await memoryOf(lab.host(name), withOpen(needles)));
        if (told || !enough()) continue;
        told = true;
        dumps.set(name, noCoreDumps ? [] : await coreDumpsOf(lab.host(name), RELAY));
        if (dumps.size < lab.bastions.length) continue;
        await Promise.all(SEALED.map((leaf) => lab.host(leaf).sh("touch /tmp/go")));
      }
    };
    const watching = Promise.all(lab.bastions.map(watch));
    const args = ["push", policy.policy, ...lab.options];
    ({ status, screen } = await answering("assphrase", `${SECRETS.passphrase}\r`, args, {
      HOME: policy.folder,
      API: SECRETS.api,
    }));
    over = true;
    await watching;
    wire = await wires.end();
  });
  afterAll(async () => {
    policy?.remove();
    await lab?.close();
  });

  /** One that has just started is looked at too, but doesn't count. */
  const relays = (name: string) =>
    (looks.get(name) ?? []).flat().filter(({ title, bytes }) => title.startsWith(RELAY) && bytes > WHOLE);
  const showsOpen = (name: string) => relays(name).some(({ found }) => found.includes("open"));

  test("the push has done its work on every leaf, with the secrets in their places", async () => {
    expect(status, screen).toBe(0);
    const conf = `token = ${SECRETS.token}\napi = ${SECRETS.api}\nmade = ${SECRETS.made}\n`;
    for (const leaf of SEALED) {
      expect(await lab.host(leaf).sh("cat /srv/conf; stat -c %U /srv/conf")).toBe(`${conf}root\n`);
      expect(readFileSync(`${policy.folder}/fetched/${leaf}/srv/conf`, "utf8")).toBe(conf);
    }
    for (const secret of Object.values(SECRETS)) expect(screen).not.toContain(secret);
  });

  test("a look into memory finds each of them, in every form, where it is", async () => {
    const found = await planted(lab.host("b2"), needles, async (pid) =>
      (await memoryOf(lab.host("b2"), needles)).filter((look) => look.pid === pid),
    );
    expect(found).toHaveLength(1);
    expect([...found[0]!.found].sort()).toEqual([...needles.keys()].sort());
  });

  test.skipIf(noCoreDumps)(
    `and so does one into a core dump${noCoreDumps ? ` (${noCoreDumps})` : ""}`,
    async () => {
      const b2 = lab.host("b2");
      const [dump, ...others] = await planted(b2, needles, () => coreDumpsOf(b2, "node -e"));
      expect(others).toEqual([]);
      expect(foundIn(dump!, needles).sort()).toEqual([...needles.keys()].sort());
    },
  );

  test("nothing of any of them was in the memory of any process of a bastion, from its start on", () => {
    for (const name of lab.bastions) {
      expect(relays(name).length, name).toBeGreaterThanOrEqual(LOOKS);
      // What goes to a host that has no secrets was found on its way
      expect(showsOpen(name), name).toBe(true);
      for (const { title, found } of looks.get(name)!.flat())
        expect(
          found.filter((needle) => needle !== "open"),
          `${name}: ${title}`,
        ).toEqual([]);
    }
  });

  test.skipIf(noCoreDumps)(
    `nothing of any of them is in a core dump of a relay, taken in the middle of the push${noCoreDumps ? ` (${noCoreDumps})` : ""}`,
    () => {
      for (const name of lab.bastions) {
        expect(dumps.get(name), name).toHaveLength(1);
        const [dump] = dumps.get(name)!;
        expect(dump!.includes(RELAY), name).toBe(true);
        expect(dump!.length, name).toBeGreaterThan(WHOLE);
        expect(foundIn(dump!, needles), name).toEqual([]);
      }
    },
  );

  test("nothing of any of them was on b1's wires, or in what its node read and wrote", async () => {
    expect(wire.length).toBeGreaterThan(100_000);
    expect(foundIn(wire, needles)).toEqual([]);
    const [read, written] = [await node.read(), await node.written()];
    // The plain host's order and events passed here as they are
    expect(read.includes(OPEN)).toBe(true);
    expect(written.includes(OPEN)).toBe(true);
    expect(foundIn(read, needles)).toEqual([]);
    expect(foundIn(written, needles)).toEqual([]);
  });

  test("nothing of any of them is in a file of a bastion", async () => {
    const words = Object.values(SECRETS).join("\n");
    const look = (name: string, text: string) =>
      lab
        .host(name)
        .sh(
          `grep -rlaF --exclude-dir=proc --exclude-dir=sys -e '${text.replaceAll("\n", "' -e '")}' / 2>/dev/null || true`,
        );
    await lab.host("b2").sh(`printf %s '${SECRETS.api}' >/var/tmp/planted`);
    expect(await look("b2", words)).toBe("/var/tmp/planted\n");
    expect(await look("b1", words)).toBe("");
  });
});

const withOpen = (needles: Needles): Needles => new Map([...needles, ["open", Buffer.from(OPEN)]]);

/** Of an OpenSSH key without a passphrase: its text, line by line but for the last, and the bytes that are the key. */
function keyParts(pem: string): Record<string, string | Uint8Array> {
  const lines = pem.split("\n").filter((line) => /^[\w+/=]{40,}$/.test(line));
  const blob = Buffer.from(pem.replace(/-----.*-----|\n/g, ""), "base64");
  const point = blob.subarray(blob.indexOf("ssh-ed25519") + 15).subarray(0, 32);
  const seed = blob.subarray(blob.lastIndexOf(point) - 32, blob.lastIndexOf(point));
  const parts = Object.fromEntries(lines.map((line, at) => [`line ${at + 1} of the key`, line]));
  return { ...parts, "the key itself": seed };
}
