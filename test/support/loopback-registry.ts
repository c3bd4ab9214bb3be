/**
 * A package registry on loopback that serves what `npm ci` put into node_modules, so that an installation is npm's own
 * work and needs no network. Archives are made when they are asked for.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { promisify } from "node:util";

export interface LoopbackRegistry {
  readonly url: string;
  /** Packages whose archive was asked for */
  readonly fetched: ReadonlySet<string>;
  close(): Promise<void>;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
}

interface Served {
  readonly manifest: Manifest;
  readonly folder: string;
}

/** Every package of the lock file that is installed, in the versions in which it is. */
function installed(root: string): ReadonlyMap<string, readonly Served[]> {
  const lock = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
  };
  const found = new Map<string, Served[]>();
  for (const [place, { dev }] of Object.entries(lock.packages)) {
    const folder = path.join(root, place);
    if (place === "" || dev || !existsSync(path.join(folder, "package.json"))) continue;
    const manifest = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as Manifest;
    found.set(manifest.name, [...(found.get(manifest.name) ?? []), { manifest, folder }]);
  }
  return found;
}

/** `folder` holds the archives while they are made. */
export async function startLoopbackRegistry(root: string, folder: string): Promise<LoopbackRegistry> {
  const packages = installed(root);
  const fetched = new Set<string>();
  const archives = new Map<string, Promise<Buffer>>();

  const archive = ({ manifest, folder: from }: Served): Promise<Buffer> => {
    const key = `${manifest.name}@${manifest.version}`;
    const known = archives.get(key);
    if (known) return known;
    const making = (async () => {
      // npm takes the archive's first folder off, whatever its name
      const place = path.join(folder, key.replaceAll("/", "+"));
      mkdirSync(place);
      symlinkSync(from, path.join(place, "package"));
      const args = ["-chf", "-", "--exclude=package/node_modules", "-C", place, "package"];
      const options = { encoding: "buffer", maxBuffer: 1 << 28 } as const;
      return (await promisify(execFile)("tar", args, options)).stdout;
    })();
    archives.set(key, making);
    return making;
  };

  const server = createServer((request, response) => {
    void answer(decodeURIComponent(request.url ?? "/")).then(
      (body) => response.writeHead(body === undefined ? 404 : 200).end(body),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });

  async function answer(url: string): Promise<Buffer | string | undefined> {
    const [, name = "", version] = /^\/((?:@[^/]+\/)?[^/]+)(?:\/-\/(.+)\.tgz)?$/.exec(url) ?? [];
    const versions = packages.get(name);
    if (!versions) return undefined;
    if (version === undefined) return JSON.stringify(await describe(name, versions));
    const served = versions.find(({ manifest }) => manifest.version === version);
    if (served) fetched.add(name);
    return served && archive(served);
  }

  async function describe(name: string, versions: readonly Served[]) {
    const entries = versions.map(async (served) => {
      const { version } = served.manifest;
      const integrity = `sha512-${createHash("sha512")
        .update(await archive(served))
        .digest("base64")}`;
      const tarball = `${url()}${name}/-/${version}.tgz`;
      return [version, { ...served.manifest, dist: { tarball, integrity } }] as const;
    });
    return {
      name,
      "dist-tags": { latest: versions.at(-1)!.manifest.version },
      versions: Object.fromEntries(await Promise.all(entries)),
    };
  }

  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: url(),
    fetched,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
