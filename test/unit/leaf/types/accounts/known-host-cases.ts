import { hashedName } from "../../../../../engine/leaf/types/accounts/known-hosts.js";
import { newKey } from "./hosts.js";
import type { KeyCase } from "./key-cases.js";

const [A, B, C] = [newKey(), newKey(), newKey()];
/** A key of another kind: what the blob says inside is all that is looked at. */
const RSA = `ssh-rsa ${Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.from("ssh-rsa"), Buffer.from([0, 0, 0, 1, 3])]).toString("base64")}`;
const known = (text: string) => ({ known: `file 0644 ${text}` });
const at = { path: "$/known" };
const HASHED = hashedName("git.example.org", "x");

export const KNOWN_HOSTS: readonly KeyCase[] = [
  {
    claim: "the file is made",
    state: {},
    options: { key: `${A} note`, ...at },
    actions: ["add"],
    after: known(`git.example.org ${A} note\n`),
  },
  {
    claim: "a host is added, other lines stay to the letter",
    state: known(`# all\nother ${B}\n@revoked * ${C}\n\n`),
    options: { key: A, ...at },
    actions: ["add"],
    after: known(`# all\nother ${B}\n@revoked * ${C}\n\ngit.example.org ${A}\n`),
  },
  {
    claim: "a host that is known",
    state: known(`git.example.org,10.0.0.1 ${A}\n`),
    options: { key: A, ...at },
    actions: [],
    after: known(`git.example.org,10.0.0.1 ${A}\n`),
  },
  {
    claim: "a hashed entry is recognised",
    state: known(`${hashedName("other", "y")} ${B}\n${HASHED} ${A}\n`),
    options: { key: A, ...at },
    actions: [],
  },
  {
    claim: "a key of the same kind that differs is replaced",
    state: known(`git.example.org ${B}\n`),
    options: { key: A, ...at },
    actions: ["update"],
    after: known(`git.example.org ${A}\n`),
  },
  {
    claim: "a hashed entry with another key is replaced",
    state: known(`${HASHED} ${B}\n`),
    options: { key: A, ...at },
    actions: ["update"],
    after: known(`git.example.org ${A}\n`),
  },
  {
    claim: "other names of a line keep their key",
    state: known(`git.example.org,mirror ${B}\n`),
    options: { key: A, ...at },
    actions: ["update"],
    after: known(`mirror ${B}\ngit.example.org ${A}\n`),
  },
  {
    claim: "a wrong key beside the right one goes",
    state: known(`git.example.org ${A}\ngit.example.org ${B}\n`),
    options: { key: A, ...at },
    actions: ["remove"],
    after: known(`git.example.org ${A}\n`),
  },
  {
    claim: "keys of other kinds stay",
    state: known(`git.example.org ${RSA}\n`),
    options: { key: A, ...at },
    actions: ["add"],
    after: known(`git.example.org ${RSA}\ngit.example.org ${A}\n`),
  },
  {
    claim: "with exclusive they go",
    state: known(`git.example.org ${RSA}\ngit.example.org ${A}\n`),
    options: { key: A, exclusive: true, ...at },
    actions: ["remove"],
    after: known(`git.example.org ${A}\n`),
  },
  {
    claim: "several keys of one host",
    state: known(`git.example.org ${B}\n`),
    options: { key: [A, RSA], ...at },
    actions: ["add", "update"],
    after: known(`git.example.org ${A}\ngit.example.org ${RSA}\n`),
  },
  {
    claim: "a new name is hashed where it is asked for, and recognised afterwards",
    state: {},
    options: { key: A, hash: true, ...at },
    actions: ["add"],
    like: ["known", /^\|1\|[A-Za-z0-9+/=]{28}\|[A-Za-z0-9+/=]{28} ssh-ed25519 \S+\n$/],
  },
  {
    claim: "a host with a port",
    state: {},
    name: "[git.example.org]:2222",
    options: { key: A, ...at },
    actions: ["add"],
    after: known(`[git.example.org]:2222 ${A}\n`),
  },
  {
    claim: "the usual port is the name alone, and case means nothing",
    state: known(`git.example.org ${A}\n`),
    name: "[Git.Example.org]:22",
    options: { key: A, ...at },
    actions: [],
  },
  {
    claim: "a host goes with all its keys",
    state: known(`git.example.org ${A}\nother ${B}\n${HASHED} ${RSA}\nmirror,git.example.org ${C}\n`),
    options: { absent: true, ...at },
    actions: ["remove"],
    after: known(`other ${B}\nmirror ${C}\n`),
  },
  {
    claim: "one key of a host goes",
    state: known(`git.example.org ${A}\ngit.example.org ${RSA}\n`),
    options: { absent: true, key: RSA, ...at },
    actions: ["remove"],
    after: known(`git.example.org ${A}\n`),
  },
  {
    claim: "no file is made for no host",
    state: {},
    options: { absent: true, ...at },
    actions: [],
    after: {},
  },
  {
    claim: "a user's own file and its folder are made",
    state: {},
    options: { key: A, user: "me" },
    actions: ["add", "folder"],
    after: { ".ssh": "dir 0700", ".ssh/known_hosts": `file 0600 git.example.org ${A}\n` },
  },
  {
    claim: "a user's own file keeps its mode",
    state: { ".ssh": "dir 0700", ".ssh/known_hosts": "file 0644 x\n" },
    options: { key: A, user: "me" },
    actions: ["add"],
    after: { ".ssh": "dir 0700", ".ssh/known_hosts": `file 0644 x\ngit.example.org ${A}\n` },
  },
  {
    claim: "path and user contradict each other",
    state: {},
    options: { key: A, user: "me", ...at },
    error: 'it can\'t have both "path" and "user"',
  },
  { claim: "no key is refused", state: {}, options: { ...at }, error: 'it needs the option "key"' },
  {
    claim: "a pattern is refused",
    state: {},
    name: "*.example.org",
    options: { key: A, ...at },
    error: "can't be a host's name",
  },
  {
    claim: "a line of known_hosts is no key",
    state: {},
    options: { key: `git.example.org ${A}`, ...at },
    error: 'the option "key" is no OpenSSH public key',
  },
  {
    claim: "a user that does not exist is refused",
    state: {},
    options: { key: A, user: "nobody-here" },
    error: 'the user "nobody-here" does not exist on this host',
  },
];
