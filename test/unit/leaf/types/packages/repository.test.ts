import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fetchBytes } from "../../../../../engine/leaf/types/packages/fetch-bytes.js";
import { repository } from "../../../../../engine/leaf/types/packages/repository.js";
import { type SystemCase, testSystemCases } from "../system.js";

const debian = {
  packageManager: "apt",
  distribution: { id: "debian", name: "Debian", version: "12", codename: "bookworm", like: [] },
};
const fedora = { packageManager: "dnf" };
const KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQENBF==\n-----END PGP PUBLIC KEY BLOCK-----\n";
const url = "https://packages.example.com/debian";
const SOURCE = "/etc/apt/sources.list.d/shop.sources";
const ASC = "/etc/apt/keyrings/shop.asc";
const REPO = "/etc/yum.repos.d/shop.repo";
const RPM_KEY = "/etc/pki/rpm-gpg/RPM-GPG-KEY-shop";
const deb = (...more: string[]) =>
  ["Types: deb", `URIs: ${url}`, "Suites: bookworm", "Components: main", ...more]
    .map((line) => `${line}\n`)
    .join("");
const rpm = (...more: string[]) =>
  ["[shop]", "name=shop", `baseurl=${url}`, "enabled=1", ...more].map((line) => `${line}\n`).join("");

const folder = mkdtempSync(path.join(tmpdir(), "mop-keys-"));
writeFileSync(path.join(folder, "key.asc"), KEY);
afterAll(() => rmSync(folder, { recursive: true }));
const keyUrl = `file://${folder}/key.asc`;
const keyChecksum = createHash("sha256").update(KEY).digest("hex");

const CASES: readonly SystemCase[] = [
  {
    claim: "apt: a new one comes with its key, and its lists are fetched",
    state: { facts: debian, files: { [SOURCE]: null, [ASC]: null }, offered: { "keys/shop.asc": KEY } },
    name: "shop",
    options: { url, keySource: "keys/shop.asc" },
    actions: ["key", "source", "refresh"],
    after: {
      facts: debian,
      files: { [SOURCE]: deb(`Signed-By: ${ASC}`), [ASC]: KEY },
      offered: { "keys/shop.asc": KEY },
    },
  },
  {
    claim: "apt: the key may be given as text, with or without a last line break",
    state: { facts: debian, files: { [SOURCE]: deb(`Signed-By: ${ASC}`), [ASC]: KEY } },
    name: "shop",
    options: { url, key: KEY.trimEnd() },
    actions: [],
  },
  {
    claim: "apt: a key that lies at a URL is checked before it is used",
    state: { facts: debian, files: { [SOURCE]: null, [ASC]: null } },
    name: "shop",
    options: { url, keyUrl, keyChecksum: `sha256:${keyChecksum}` },
    actions: ["key", "source", "refresh"],
  },
  {
    claim: "apt: a key with another checksum is refused",
    state: { facts: debian, files: { [SOURCE]: null, [ASC]: null } },
    name: "shop",
    options: { url, keyUrl, keyChecksum: "0".repeat(64) },
    error: `has the SHA-256 ${keyChecksum}, not 0000`,
  },
  {
    claim: "apt: nothing is fetched where the key is there already",
    state: { facts: debian, files: { [SOURCE]: deb(`Signed-By: ${ASC}`), [ASC]: KEY } },
    name: "shop",
    options: { url, keyUrl: "https://nobody.invalid/key", keyChecksum },
    actions: [],
  },
  {
    claim: "apt: suites, components and architectures stand where they belong",
    state: { facts: debian, files: { [SOURCE]: null } },
    name: "shop",
    options: {
      url,
      suites: ["a", "b"],
      components: ["x", "y"],
      architectures: ["amd64", "arm64"],
      unsigned: true,
    },
    actions: ["source", "refresh"],
    diff: `--- /dev/null\n+++ ${SOURCE}\n@@ -0,0 +1,6 @@\n+Types: deb\n+URIs: ${url}\n+Suites: a b\n+Components: x y\n+Architectures: amd64 arm64\n+Trusted: yes\n`,
  },
  {
    claim: "apt: a suite that is a path has no components",
    state: { facts: debian, files: { [SOURCE]: `Types: deb\nURIs: ${url}\nSuites: ./\n` } },
    name: "shop",
    options: { url, suites: ["./"] },
    actions: [],
  },
  {
    claim: "apt: a suite that is a path can't get components",
    state: { facts: debian, files: { [SOURCE]: null } },
    name: "shop",
    options: { url, suites: ["./"], components: ["main"] },
    error: 'a suite that ends with "/" has no components',
  },
  {
    claim: "apt: one that is switched off is not fetched",
    state: { facts: debian, files: { [SOURCE]: deb() } },
    name: "shop",
    options: { url, enabled: false },
    actions: ["source"],
    diff: `--- ${SOURCE}\n+++ ${SOURCE}\n@@ -2,3 +2,4 @@\n URIs: ${url}\n Suites: bookworm\n Components: main\n+Enabled: no\n`,
  },
  {
    claim: "apt: another address is a change",
    state: { facts: debian, files: { [SOURCE]: deb().replace(url, "https://old.example.com") } },
    name: "shop",
    options: { url },
    actions: ["source", "refresh"],
  },
  {
    claim: "apt: it goes with its key",
    state: { facts: debian, files: { [SOURCE]: deb(), [ASC]: KEY, "/etc/apt/keyrings/shop.gpg": null } },
    name: "shop",
    options: { absent: true },
    actions: ["source", "key"],
  },
  {
    claim: "apt: one that is not there needs nothing",
    state: { facts: debian, files: { [SOURCE]: null, [ASC]: null, "/etc/apt/keyrings/shop.gpg": null } },
    name: "shop",
    options: { absent: true },
    actions: [],
  },
  {
    claim: "apt: a release without a code name needs a suite",
    state: { facts: { ...debian, distribution: { ...debian.distribution, codename: "" } } },
    name: "shop",
    options: { url },
    error: 'name one with the option "suites"',
  },
  {
    claim: "apt: a description is dnf's",
    state: { facts: debian },
    name: "shop",
    options: { url, description: "x" },
    error: 'the option "description" is not for apt',
  },
  {
    claim: "dnf: a new one comes with its key, and its lists are fetched",
    state: { facts: fedora, files: { [REPO]: null, [RPM_KEY]: null } },
    name: "shop",
    options: { url, key: KEY },
    actions: ["key", "source", "refresh"],
    after: {
      facts: fedora,
      files: { [REPO]: rpm("gpgcheck=1", `gpgkey=file://${RPM_KEY}`), [RPM_KEY]: KEY },
    },
  },
  {
    claim: "dnf: unsigned packages are taken only where it says so",
    state: { facts: fedora, files: { [REPO]: rpm("gpgcheck=1") } },
    name: "shop",
    options: { url, unsigned: true },
    actions: ["source", "refresh"],
    diff: `--- ${REPO}\n+++ ${REPO}\n@@ -2,4 +2,4 @@\n name=shop\n baseurl=${url}\n enabled=1\n-gpgcheck=1\n+gpgcheck=0\n`,
  },
  {
    claim: "dnf: a title of its own",
    state: { facts: fedora, files: { [REPO]: rpm("gpgcheck=1").replace("name=shop", "name=The shop") } },
    name: "shop",
    options: { url, description: "The shop" },
    actions: [],
  },
  {
    claim: "dnf: a key without armour is refused",
    state: { facts: fedora, files: { [REPO]: null }, offered: { k: "\u0099\u0001" } },
    name: "shop",
    options: { url, keySource: "k" },
    error: "its key must have its armour",
  },
  {
    claim: "dnf: suites are apt's",
    state: { facts: fedora },
    name: "shop",
    options: { url, suites: ["a"] },
    error: 'the option "suites" is not for dnf',
  },
  {
    claim: "yum: it is the same file",
    state: { facts: { packageManager: "yum" }, files: { [REPO]: rpm("gpgcheck=1") } },
    name: "shop",
    options: { url },
    actions: [],
  },
  {
    claim: "a page instead of a key is refused",
    state: { facts: debian },
    name: "shop",
    options: { url, key: "<html>" },
    error: "its key is no OpenPGP key",
  },
  {
    claim: "it needs an address",
    state: { facts: debian },
    name: "shop",
    options: {},
    error: 'it needs the option "url"',
  },
  {
    claim: "an address is a URL",
    state: { facts: debian },
    name: "shop",
    options: { url: "packages" },
    error: '"packages" is no URL',
  },
  {
    claim: "its name is that of a file",
    state: { facts: debian },
    name: "../shop",
    options: { url },
    error: "its name is that of a file",
  },
  {
    claim: "two keys are refused",
    state: { facts: debian },
    name: "shop",
    options: { url, key: KEY, keySource: "k" },
    error: 'both "key" and "keySource"',
  },
  {
    claim: "a key and none are refused",
    state: { facts: debian },
    name: "shop",
    options: { url, key: KEY, unsigned: true },
    error: 'both "key" and "unsigned"',
  },
  {
    claim: "a key from afar needs its checksum",
    state: { facts: debian },
    name: "shop",
    options: { url, keyUrl },
    error: '"keyUrl" needs "keyChecksum"',
  },
  {
    claim: "a checksum alone is refused",
    state: { facts: debian },
    name: "shop",
    options: { url, keyChecksum },
    error: '"keyChecksum" is for "keyUrl"',
  },
  {
    claim: "a checksum is a SHA-256",
    state: { facts: debian },
    name: "shop",
    options: { url, keyUrl, keyChecksum: "md5" },
    error: "must be a SHA-256",
  },
  {
    claim: "a key comes by http, https or file",
    state: { facts: debian },
    name: "shop",
    options: { url, keyUrl: "ftp://a/b", keyChecksum },
    error: "must begin with https:",
  },
  {
    claim: "absent with an address is refused",
    state: { facts: debian },
    name: "shop",
    options: { url, absent: true },
    error: 'both "url" and "absent"',
  },
];
testSystemCases(repository, CASES);

let server: http.Server;
let base: string;
beforeAll(async () => {
  server = http.createServer((request, response) => {
    if (request.url === "/key") response.end("a key");
    else if (request.url === "/moved") response.writeHead(302, { location: "/key" }).end();
    else if (request.url === "/circle") response.writeHead(302, { location: "/circle" }).end();
    else if (request.url === "/elsewhere") response.writeHead(302, { location: "file:///etc/passwd" }).end();
    else if (request.url === "/large") response.end(Buffer.alloc(2_000_000));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

test("a key is fetched, over a redirect too", async () => {
  const { signal } = new AbortController();
  expect((await fetchBytes(`${base}/key`, signal)).toString()).toBe("a key");
  expect((await fetchBytes(`${base}/moved`, signal)).toString()).toBe("a key");
});

test.each([
  ["/none", "the server says 404"],
  ["/circle", "leads on and on"],
  ["/elsewhere", "leads to file:///etc/passwd"],
  ["/large", "too large for a key"],
])("what lies at %s is refused: %s", async (at, reason) => {
  await expect(fetchBytes(base + at, new AbortController().signal)).rejects.toThrow(reason);
});
