/** What operators write into ~/.ssh/config, each with what it leads to. */
import type { HabitLab } from "./habit-lab.js";

export interface Habit {
  /** What it is about */
  readonly habit: string;
  /** The host's name for ssh and mop, and in `config` */
  readonly host: string;
  readonly config: string;
  /** Names of the hops before it; those that ssh logs in to by itself */
  readonly route?: readonly string[];
  /** Logins that ssh causes at the bastions beside, where a program of the user's makes them */
  readonly beside?: number;
  /** Which server it ends at. Default: the leaf */
  readonly server?: "b1" | "b2";
  /** Which of the leaf's keys does it. Default: the first */
  readonly key?: "second" | "agent" | "certificate";
  /** From where the server sees it come. Default 127.0.0.1 */
  readonly from?: string;
}

/** Most of them leave the rest to `Host *` at the end of the file, as people do. */
export const habits = (lab: HabitLab): readonly Habit[] => {
  const { me, leaf, b1, b2, folder } = lab;
  const at = (server: { port: number }) => `HostName 127.0.0.1\n  Port ${server.port}`;
  return [
    { habit: "HostName with %h", host: "0.1", config: `Host 0.1\n  HostName 127.0.%h\n  Port ${leaf.port}` },
    {
      habit: "User, where the first value counts",
      host: "user",
      config: `Host user\n  ${at(leaf)}\n  User ${me}\nHost us*r\n  User nobody-here`,
    },
    {
      habit: "several IdentityFiles with IdentitiesOnly, the second one is right",
      host: "several",
      config: `Host several\n  ${at(leaf)}\n  IdentitiesOnly yes\n  IdentityFile ${lab.strangerKey}\n  IdentityFile ${leaf.identityFiles[1]}`,
      key: "second",
    },
    {
      habit: "IdentityFile with tokens and a variable",
      host: "tokens",
      config: `Host tokens\n  ${at(leaf)}\n  IdentityFile "\${HABITS}/keys of/%n-%r-%p-%h"`,
      key: "second",
    },
    {
      habit: "ten keys in an agent, the right one named by its public half (MaxAuthTries is 6)",
      host: "agent",
      config: `Host agent\n  ${at(leaf)}\n  IdentityAgent ${lab.agent}\n  IdentityFile ${folder}/in-agent.pub\n  IdentitiesOnly yes`,
      key: "agent",
    },
    {
      habit: "IdentityAgent by a variable's name",
      host: "agent-variable",
      config: `Host agent-variable\n  ${at(leaf)}\n  IdentityAgent $HABITS_AGENT\n  IdentityFile ${folder}/in-agent.pub\n  IdentitiesOnly yes`,
      key: "agent",
    },
    {
      habit: "Host with a pattern and a negation: within",
      host: "web-1",
      config: `Host web-* !web-2\n  ${at(leaf)}`,
    },
    {
      habit: "Host with a pattern and a negation: without",
      host: "web-2",
      config: `Host web-2\n  ${at(b2)}`,
      server: "b2",
    },
    {
      habit: "Match originalhost, host, user and exec",
      host: "match",
      config: `Host match\n  HostName 127.0.0.1\nMatch originalhost match host 127.0.0.1 user ${me} exec "test %n = match"\n  Port ${leaf.port}\nMatch originalhost match exec false\n  IdentityFile /nowhere`,
    },
    {
      habit: "Match final, after names were made canonical",
      host: "final",
      config: `Host final\n  HostName 127.0.0.1\n  CanonicalizeHostname yes\n  CanonicalDomains nowhere.invalid\nMatch final originalhost final\n  Port ${leaf.port}`,
    },
    {
      habit: "Include with a glob",
      host: "included",
      config: `Host incl*\n  Include ${folder}/config.d/*.conf`,
    },
    {
      habit: "a ProxyJump chain of hosts with settings of their own",
      host: "chain",
      config: `Host chain\n  ${at(leaf)}\n  ProxyJump j1,${me}@j2\nHost j1\n  ${at(b1)}\n  User ${me}\nHost j2\n  ${at(b2)}`,
      route: ["j1", "j2"],
    },
    {
      habit: "ProxyJump over a host that has a ProxyJump of its own, written with its port",
      host: "nested",
      config: `Host nested\n  ${at(leaf)}\n  ProxyJump localhost:${b2.port}\nHost localhost\n  AddressFamily inet\n  HostKeyAlias second\n  ProxyJump j1`,
      route: ["j1", "localhost"],
    },
    {
      habit: "ProxyJump none before a pattern that has one",
      host: "inside",
      config: `Host inside\n  ${at(leaf)}\n  ProxyJump none\nHost in*de\n  ProxyJump nowhere.invalid`,
    },
    {
      habit: "ProxyCommand with a program of one's own, tokens and quotes",
      host: "proxied",
      config: `Host proxied\n  ${at(leaf)}\n  ProxyCommand '${process.execPath}' "${folder}/a pipe.cjs" %h %p %n %r 100%%`,
    },
    {
      habit: "ProxyCommand ssh -W",
      host: "forwarded",
      config: `Host forwarded\n  ${at(leaf)}\n  ProxyCommand ssh -F ${folder}/config -W %h:%p j1`,
      beside: 1,
    },
    {
      habit: "ProxyCommand none before a pattern that has one",
      host: "no-command",
      config: `Host no-command\n  ${at(leaf)}\n  ProxyCommand none\nHost no-*\n  ProxyCommand false`,
    },
    {
      habit: "ProxyJump over a host that a ProxyCommand leads to",
      host: "behind-proxied",
      config: `Host behind-proxied\n  ${at(leaf)}\n  ProxyJump j3\nHost j3\n  ${at(b1)}\n  ProxyCommand '${process.execPath}' "${folder}/a pipe.cjs" %h %p %n %r 100%%`,
      route: ["j3"],
    },
    {
      habit: "several UserKnownHostsFiles, one with a space, names hashed in the one that counts",
      host: "hashed",
      config: `Host hashed\n  ${at(leaf)}\n  UserKnownHostsFile ${folder}/none "${folder}/known to us" /dev/null`,
    },
    {
      habit: "GlobalKnownHostsFile, the host known there by its bare name",
      host: "global",
      config: `Host global\n  ${at(leaf)}\n  UserKnownHostsFile /dev/null\n  GlobalKnownHostsFile ${folder}/bare`,
    },
    {
      habit: "HostKeyAlias",
      host: "alias",
      config: `Host alias\n  ${at(leaf)}\n  HostKeyAlias the-leaf\n  UserKnownHostsFile ${folder}/aliased`,
    },
    {
      habit: "StrictHostKeyChecking accept-new",
      host: "new",
      config: `Host new\n  ${at(leaf)}\n  StrictHostKeyChecking accept-new\n  UserKnownHostsFile \${HABITS}/new-\${HABITS_BY}`,
    },
    {
      habit: "StrictHostKeyChecking no with nothing known",
      host: "anyone",
      config: `Host anyone\n  ${at(leaf)}\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null`,
    },
    {
      habit: "NoHostAuthenticationForLocalhost",
      host: "itself",
      config: `Host itself\n  ${at(leaf)}\n  NoHostAuthenticationForLocalhost yes\n  UserKnownHostsFile /dev/null`,
    },
    {
      habit: "RevokedHostKeys that don't have this one",
      host: "revoked",
      config: `Host revoked\n  ${at(leaf)}\n  RevokedHostKeys ${folder}/revoked`,
    },
    {
      habit: "Ciphers, MACs, KexAlgorithms and HostKeyAlgorithms",
      host: "algorithms",
      config: `Host algorithms\n  ${at(leaf)}\n  Ciphers aes256-ctr\n  MACs hmac-sha2-512\n  KexAlgorithms ecdh-sha2-nistp384\n  HostKeyAlgorithms ecdsa-sha2-nistp256`,
    },
    {
      habit: "PubkeyAcceptedAlgorithms leaves the key that is right",
      host: "accepted",
      config: `Host accepted\n  ${at(leaf)}\n  PubkeyAcceptedAlgorithms ecdsa-sha2-nistp256\n  IdentityFile ${leaf.identityFiles[0]}\n  IdentityFile ${leaf.identityFiles[1]}`,
      key: "second",
    },
    {
      habit: "PreferredAuthentications, BatchMode and passwords switched off",
      host: "preferred",
      config: `Host preferred\n  ${at(leaf)}\n  BatchMode yes\n  PreferredAuthentications publickey,password\n  PasswordAuthentication no\n  KbdInteractiveAuthentication no`,
    },
    {
      habit: "BindAddress and AddressFamily",
      host: "bound",
      config: `Host bound\n  ${at(leaf)}\n  BindAddress 127.0.0.2\n  AddressFamily inet`,
      from: "127.0.0.2",
    },
    {
      habit: "ConnectTimeout and ServerAliveInterval",
      host: "patient",
      config: `Host patient\n  ${at(leaf)}\n  ConnectTimeout 9\n  ServerAliveInterval 1\n  ConnectionAttempts 2`,
    },
    {
      habit: "what is for ssh alone is passed over",
      host: "for-ssh",
      config: `Host for-ssh\n  ${at(leaf)}\n  RequestTTY yes\n  ControlMaster auto\n  ControlPath ${folder}/cm-%C\n  ForwardAgent yes\n  SendEnv LANG LC_*\n  SetEnv HABIT=1\n  Compression yes\n  LogLevel QUIET\n  ForwardX11 yes\n  AddKeysToAgent no\n  VisualHostKey no`,
    },
    {
      habit: "CertificateFile, where only the certificate lets in",
      host: "certified",
      config: `Host certified\n  ${at(b1)}\n  IdentityFile ${folder}/certified\n  CertificateFile ${folder}/certificates/certified.pub\n  IdentitiesOnly yes`,
      server: "b1",
      key: "certificate",
    },
  ];
};
