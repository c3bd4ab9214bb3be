import { type ChildProcess, spawn } from "node:child_process";

/** What `node -e` runs as the other user: reads the wing (its length, then its text) from stdin and starts it. */
export const ACCOUNT_STAGE = [
  "var p=process,c=[],n=0;",
  'p.stdin.on("data",function f(d){',
  "c.push(d);n+=d.length;if(n<4)return;",
  "var b=Buffer.concat(c),z=b.readUInt32BE(0)+4;if(n<z){c=[b];return}",
  'p.stdin.pause();p.stdin.removeListener("data",f);if(n>z)p.stdin.unshift(b.slice(z));',
  "var m={exports:{}};",
  'require("vm").runInThisContext("(function(module,exports,require){"+b.slice(4,z)+"\\n})",{filename:"mop-wing.js"})(m,m.exports,require);',
  "m.exports.serveAccount(p.argv[1])",
  "})",
].join("");

/** Starts a Node as another user: by su from root, who is asked nothing; else by a sudo that asks nothing. */
export function startAs(user: string, source: Uint8Array): ChildProcess {
  const node = [process.execPath, "-e", ACCOUNT_STAGE, user];
  const [file, args] =
    process.getuid?.() === 0
      ? ["su", ["-s", "/bin/sh", "-c", 'exec "$0" "$@"', "--", user, ...node]]
      : ["sudo", ["-n", "-H", "-u", user, ...node]];
  // The role's folder may be closed to the other user
  const child = spawn(file, args, { stdio: "pipe", cwd: "/" });
  child.stdin!.on("error", () => undefined);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(source.length);
  child.stdin!.write(head);
  child.stdin!.write(source);
  return child;
}
