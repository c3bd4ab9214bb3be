import { execFileSync } from "node:child_process";
import { existsSync, realpathSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { changedOf, connectedOf, type MopRun, mop, unreachableOf } from "../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../support/policies.js";
import { type ContainerLab, createContainerLab } from "./support/container-lab.js";
import { findEngine } from "./support/engine.js";
import { CLEAN_WITHIN_MS, processesOf } from "./support/looks.js";

const engine = await findEngine();

/** Shells of this machine that the image lacks, with the libraries that they may want there. */
const SHELLS: readonly string[] = ["/usr/bin/fish", "/usr/bin/tcsh", "/bin/bsd-csh"].filter(existsSync);
const LIBRARIES = SHELLS.flatMap((shell) =>
  [...execFileSync("ldd", [shell], { encoding: "utf8" }).matchAll(/=> (\/\S+)/g)].map(([, file]) => file!),
);
const shellFiles = () =>
  Object.fromEntries(
    [...new Set([...SHELLS, ...LIBRARIES])].map((file) => [
      `/lab/shells/${path.basename(file)}`,
      realpathSync(file),
    ]),
  );

/** An account of a bastion, as its administrator made it, and what becomes of it under `auto`. */
interface Account {
  /** Login shell; default bash */
  readonly shell?: string;
  /** What stands before its key in authorized_keys */
  readonly key?: string;
  /** Lines of a Match block of its own */
  readonly sshd?: readonly string[];
  /** Lines of its .bashrc */
  readonly bashrc?: string;
  /** It may not run the machine's Node */
  readonly withoutNode?: true;
  /** Another server than the machine's OpenSSH */
  readonly dropbear?: string;
  /** "relay", or why it is passed as a jump, or the sentence that refuses it */
  readonly passed?: "relay" | RegExp;
  readonly refused?: RegExp;
  /** Logins that it takes. Default 1 */
  readonly logins?: number;
}

const NO_COMMAND = /^the boot command ended before Node ran/;
const NO_NODE =
  /^no Node found there; tried "node, nodejs, \/usr\/local\/bin\/node, \/usr\/bin\/node, [^"]*" \(mop_node sets the path, or is "push" to bring one\)$/;
/** How a sentence ends that names what is missing on both sides. */
const NEITHER =
  "; without a node it is passed as a jump, but its SSH server refuses to forward a connection to (b2|l1):22: [^;]*: an " +
  "account that may run Node 16 or newer there, or AllowTcpForwarding in its sshd_config, opens the way$";
const neither = (why: RegExp) =>
  new RegExp(`^b\\d\\.\\w+: ${why.source.replace(/^\^|\$$/g, "")}[^;]*${NEITHER}`);

const NOISE = `cat /etc/motd
echo "Welcome to $HOSTNAME, $(id -un)"
stty erase ^H
printf '\\033]0;title\\007\\033[31mred\\033[0m no line end'
echo careful >&2
PS1='\\u@\\h> '; alias ll='ls -l'; bind '"\\e[A": history-search-backward'
`;

const ACCOUNTS: Record<string, Account> = {
  // Commands may be run: a relay, whatever else is forbidden; it makes its connections itself
  plain: { passed: "relay" },
  restricted: { key: "restrict,port-forwarding", passed: "relay" },
  isolated: { key: "restrict", passed: "relay" },
  noforward: { sshd: ["AllowTcpForwarding no"], passed: "relay" },
  fish: { shell: "/lab/shells/fish", passed: "relay" },
  csh: { shell: "/lab/shells/bsd-csh", passed: "relay" },
  tcsh: { shell: "/lab/shells/tcsh", passed: "relay" },
  noisy: { bashrc: NOISE, sshd: ["Banner /etc/motd"], passed: "relay" },
  // No command, or no Node: a jump, over the same login
  forced: { sshd: ["ForceCommand /bin/false"], passed: NO_COMMAND },
  forcedkey: { key: 'restrict,port-forwarding,command="/bin/false"', passed: NO_COMMAND },
  sftponly: { sshd: ["ForceCommand internal-sftp"], passed: NO_COMMAND },
  nologin: {
    shell: "/usr/sbin/nologin",
    passed: /the host said "This account is currently not available\."$/,
  },
  forcednologin: {
    sshd: ["ForceCommand /usr/sbin/nologin"],
    passed: /the host said "This account is currently not available\."$/,
  },
  menu: { sshd: ["ForceCommand /lab/menu"], passed: /the host said "1\) db 2\) web \/ no such choice/ },
  asking: {
    bashrc: "read -r -p 'Press Enter to go on' answer",
    passed: /^the core arrived damaged.*a \.bashrc there that reads its input/,
  },
  bare: { withoutNode: true, passed: NO_NODE },
  barefish: { withoutNode: true, shell: "/lab/shells/fish", passed: NO_NODE },
  // sshd ends a session in which a command was sent ahead to a channel that it refuses: the jump logs in itself
  nosessions: {
    sshd: ["MaxSessions 0"],
    passed: /opens no session|refused a channel|unknown channel|ended in mid-session/,
    logins: 2,
  },
  // Neither: one sentence names both
  shut: { sshd: ["ForceCommand /bin/false", "AllowTcpForwarding no"], refused: neither(NO_COMMAND) },
  remoteonly: {
    sshd: ["ForceCommand /bin/false", "AllowTcpForwarding remote"],
    refused: neither(NO_COMMAND),
  },
  othersonly: { sshd: ["ForceCommand /bin/false", "PermitOpen db:22"], refused: neither(NO_COMMAND) },
  shutkey: { key: 'restrict,command="/bin/false"', refused: neither(NO_COMMAND) },
  bareshut: { withoutNode: true, sshd: ["AllowTcpForwarding no"], refused: neither(NO_NODE) },
  // The same with Dropbear
  small: { dropbear: "", passed: "relay" },
  smallforced: { dropbear: "-c /bin/false", passed: NO_COMMAND },
  smallshut: { dropbear: "-c /bin/false -j", refused: neither(NO_COMMAND) },
};
const portOf = (name: string) => {
  const { dropbear } = ACCOUNTS[name]!;
  return dropbear === undefined ? 22 : 2200 + Object.keys(ACCOUNTS).indexOf(name);
};

/** Makes the accounts, before sshd starts. */
const PREPARE = `
printf '%2048s' x | tr ' ' '#' | fold -w 64 >/etc/motd
printf '#!/bin/sh\\necho "1) db 2) web"\\nfor i in 1 2 3; do read -r choice; echo "no such choice"; done\\n' >/lab/menu
chmod 755 /lab/menu
install -d -g deploy -m 750 /opt/private
mv /usr/bin/node /opt/private/node && ln -s /opt/private/node /usr/local/bin/node
rm -f /usr/bin/nodejs
if [ -d /lab/shells ]; then cp -n /lab/shells/lib* "$(dirname "$(ldd /bin/sh | sed -n 's/.*=> \\(\\S*\\).*/\\1/p')")/"; fi
dropbearconvert openssh dropbear /lab/host_key /lab/dropbear_key 2>/dev/null
: >/lab/accounts.conf
${Object.entries(ACCOUNTS)
  .map(([name, { shell = "/bin/bash", key, sshd = [], bashrc, withoutNode, dropbear }]) => {
    const lines = [
      `Match User ${name}`,
      `  AuthorizedKeysFile /lab/keys.${name}`,
      ...sshd.map((line) => `  ${line}`),
    ];
    return [
      `useradd -m -s ${shell} -p '*' ${withoutNode ? "" : "-G deploy"} ${name}`,
      `cat >/lab/keys.${name} <<'EOF'`,
      `${key === undefined ? "" : `${key} `}KEY`,
      "EOF",
      `sed -i "s|KEY|$(cat /lab/authorized_keys)|" /lab/keys.${name}`,
      "cat >>/lab/accounts.conf <<'EOF'",
      ...lines,
      "EOF",
      ...(bashrc === undefined ? [] : [`cat >/home/${name}/.bashrc <<'EOF'`, bashrc, "EOF"]),
      ...(dropbear === undefined
        ? []
        : [
            `install -d -o ${name} -m 700 /home/${name}/.ssh`,
            `install -o ${name} -m 600 /lab/keys.${name} /home/${name}/.ssh/authorized_keys`,
            `dropbear -E -r /lab/dropbear_key -p ${portOf(name)} -P /run/dropbear.${name} ${dropbear}`,
          ]),
    ].join("\n");
  })
  .join("\n")}
`;

describe.skipIf("missing" in engine)(
  `bastions as they really are, under auto ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let lab: ContainerLab;
    let policy: PolicyFolder;
    let options: string[];
    let logins: Record<"b1" | "b2", string>;
    /** Targets: `first.NAME` lies behind NAME at b1, `second.NAME` behind the relay b1 and NAME at b2 */
    const places = ["first", "second"] as const;
    const pushes = new Map<(typeof places)[number], MopRun>();

    beforeAll(async () => {
      if ("missing" in engine) return;
      policy = policyFolder(
        rolePolicy("await file(`/srv/${host.name}`, { content: host.name + 'x'.repeat(100_000) });"),
      );
      const sshd = "Include /lab/accounts.conf\nMaxStartups 200\nLogLevel VERBOSE";
      lab = await createContainerLab({
        image: engine.image,
        bastion: { prepare: PREPARE, sshd, files: shellFiles() },
        leaves: { l1: { sshd: "MaxStartups 200" } },
      });
      const { host, port } = lab.link;
      const b1 = `mop_host = "${host}", mop_port = ${port}`;
      const hosts = ['[groups.all.vars]\nmop_user = "deploy"', `[hosts.b1.vars]\n${b1.replace(", ", "\n")}`];
      const targets: string[] = [];
      for (const [name, { dropbear }] of Object.entries(ACCOUNTS)) {
        const table = (key: string, vars: string) => targets.push(`"${key}" = { ${vars} }`);
        const bastion = (key: string, vars: string) =>
          hosts.push(`[hosts."${key}".vars]\nmop_user = "${name}"\n${vars.replaceAll(", ", "\n")}`);
        bastion(`b2.${name}`, `mop_host = "b2", mop_via = "b1", mop_port = ${portOf(name)}`);
        table(`second.${name}`, `mop_host = "l1", mop_via = "b2.${name}"`);
        if (dropbear !== undefined) continue;
        bastion(`b1.${name}`, b1);
        table(`first.${name}`, `mop_host = "b2", mop_via = "b1.${name}"`);
      }
      const inventory = path.join(lab.folder, "accounts.toml");
      writeFileSync(inventory, `${hosts.join("\n\n")}\n\n[groups.web.hosts]\n${targets.join("\n")}\n`);
      options = ["-i", inventory, ...lab.options.slice(2), "-o", "json", "--connect-timeout", "60"];
      // One behind the other: all at once would be some hundred nodes on two machines
      for (const place of places) {
        const run = await mop(["push", policy.policy, ...options, "--limit-hosts", `${place}.*`]);
        if (run.status === 1) throw new Error(run.stderr);
        pushes.set(place, run);
      }
      logins = { b1: await lab.host("b1").log(), b2: await lab.host("b2").log() };
    });
    afterAll(async () => {
      policy?.remove();
      await lab?.close();
    });

    for (const [name, account] of Object.entries(ACCOUNTS))
      for (const place of places) {
        const { shell = "" } = account;
        const missing =
          shell.startsWith("/lab/shells/") &&
          !SHELLS.some((file) => path.basename(file) === path.basename(shell));
        if (account.dropbear !== undefined && place === "first") continue;
        const target = `${place}.${name}`;
        const at = place === "first" ? "b1" : "b2";
        const bastion = `${at}.${name}`;
        const { passed, refused } = account;
        const how = refused ? "is refused with a sentence" : passed === "relay" ? "is a relay" : "is a jump";
        const why = missing ? ` (this machine has no ${path.basename(shell)})` : "";
        test.skipIf(missing)(`${name} as the ${place} bastion ${how}${why}`, () => {
          const pushed = pushes.get(place)!;
          const lost = unreachableOf(pushed).filter(({ host }) => host === target);
          if (refused) {
            expect(lost).toEqual([
              expect.objectContaining({ at: bastion, reason: expect.stringMatching(refused) }),
            ]);
            return;
          }
          expect(lost).toEqual([]);
          expect(changedOf(pushed, target)).toEqual([`file ${target}`]);
          const connected = connectedOf(pushed).find(({ host }) => host === target);
          const jumps =
            passed === "relay" ? undefined : [{ at: bastion, reason: expect.stringMatching(passed!) }];
          expect(connected?.jumps).toEqual(jumps);
          // Of OpenSSH's own log
          if (account.dropbear === undefined)
            expect(logins[at].split(`Accepted publickey for ${name} `).length - 1).toBe(account.logins ?? 1);
        });
      }

    test("a second push changes nothing, over the same ways", async () => {
      const some = ["--limit-hosts", "*.plain,*.forced,*.bare,*.nosessions,*.shut,*.small*"];
      const again = await mop(["push", policy.policy, ...options, ...some]);
      expect(again.status, again.stderr).toBe(4);
      expect(changedOf(again)).toEqual([]);
      expect(
        unreachableOf(again)
          .map(({ at }) => at)
          .sort(),
      ).toEqual(["b1.shut", "b2.shut", "b2.smallshut"]);
    });

    test("a bastion that is passed as a jump is told once, in words", async () => {
      const only = ["--limit-hosts", "first.bare,second.bare"];
      const human = options.filter((word) => word !== "-o" && word !== "json");
      const { stdout } = await mop(["push", policy.policy, ...human, ...only]);
      expect(stdout.match(/b1\.bare +passed as a jump +since no Node found there; tried/g)).toHaveLength(1);
      expect(stdout.match(/b2\.bare +passed as a jump/g)).toHaveLength(1);
    });

    test("nothing is left running on any host", async () => {
      const left = async () => (await processesOf(lab)).filter((line) => !/ dropbear -E/.test(line));
      await expect.poll(left, { timeout: CLEAN_WITHIN_MS, interval: 500 }).toEqual([]);
    });
  },
);
