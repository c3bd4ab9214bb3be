import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/**
 * One file that is a Node in a tree with musl: neither Debian nor the npm registry has one that was built for it, so
 * this is the Node of this machine with its glibc beside it, which unpacks itself once and runs by its own loader.
 */
export function muslRuntime(folder: string): string {
  const parts = path.join(folder, "musl-node");
  mkdirSync(parts);
  copyFileSync(process.execPath, path.join(parts, "node"));
  const needed = execFileSync("ldd", [process.execPath], { encoding: "utf8" });
  for (const [, file = ""] of needed.matchAll(/(\/\S+) \(0x/g))
    copyFileSync(file, path.join(parts, path.basename(file)));
  const head = `#!/bin/sh
d=$HOME/.node-with-its-libraries
[ -e $d/whole ] || { mkdir -p $d && tail -n +5 "$0" | gzip -dc | tar -xf - -C $d && : >$d/whole; } || exit 1
exec $d/ld-linux-x86-64.so.2 --library-path $d $d/node "$@"
`;
  const archive = execFileSync("tar", ["-C", parts, "-czf", "-", "."], { maxBuffer: 1 << 28 });
  const file = path.join(folder, "node-musl");
  writeFileSync(file, Buffer.concat([Buffer.from(head), archive]), { mode: 0o755 });
  rmSync(parts, { recursive: true });
  return file;
}
