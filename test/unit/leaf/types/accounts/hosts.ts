import { generateKeyPairSync } from "node:crypto";
import type { Answer, SystemState } from "../system.js";

const PASSWD = `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
alice:x:1000:1000:Alice:/nowhere/alice:/bin/bash
bob:x:1001:1001::/nowhere/bob:/bin/sh
+::::::
`;
const GROUP = `root:x:0:
daemon:x:1:
wheel:x:10:alice
alice:x:1000:
bob:x:1001:
ci:x:1600:alice,bob
spare:x:1700:
`;
export const HASH = "$6$salt$abcdefghijklmnopqrstuvwxyz0123456789./";
export const OTHER_HASH = "$y$j9T$salt$otherotherotherother";
const SHADOW = `root:*:19000:0:99999:7:::
alice:${HASH}:19000:0:99999:7:::
bob:!${HASH}:19000:0:99999:7::20818:
`;

/** A host with the users alice and bob and the groups wheel, ci and spare; with these lines instead. */
export function host(changes: { passwd?: string; group?: string; shadow?: string | null } = {}): SystemState {
  return {
    programs: { ...nobody("carol"), ...nobody("ops", "group") },
    files: {
      "/etc/passwd": changes.passwd ?? PASSWD,
      "/etc/group": changes.group ?? GROUP,
      "/etc/shadow": changes.shadow === undefined ? SHADOW : changes.shadow,
      "/etc/login.defs": "UMASK 022\n",
    },
    facts: { distribution: { id: "debian", name: "", version: "", codename: "", like: [] } },
  };
}

/** A host with one line of its tables written otherwise. */
export function hostWith(table: "passwd" | "group" | "shadow", name: string, line: string): SystemState {
  const text = { passwd: PASSWD, group: GROUP, shadow: SHADOW }[table];
  const others = text.split("\n").filter((one) => !one.startsWith(`${name}:`));
  return host({
    [table]: [line, ...others]
      .filter((one) => one !== "")
      .join("\n")
      .concat("\n"),
  });
}

export const alpine = (state: SystemState): SystemState => ({
  ...state,
  facts: { distribution: { id: "alpine", name: "", version: "", codename: "", like: [] } },
});

const nobody = (name: string, kind = "passwd"): Record<string, Answer> => ({
  [`getent ${kind} ${name}`]: { rc: 2 },
});

/** A new public key, "ssh-ed25519 AAAA...". */
export function newKey(): string {
  const { publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const part = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  return `ssh-ed25519 ${Buffer.concat([part(Buffer.from("ssh-ed25519")), part(raw)]).toString("base64")}`;
}
