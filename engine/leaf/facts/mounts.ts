import type { Mount } from "../../vocabulary/facts.js";

type Place = Omit<Mount, "size" | "available">;

/** /proc/self/mounts: blanks and backslashes in a name are octal numbers. */
export function parseMounts(text: string): Place[] {
  const plain = (word = "") =>
    word.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  return text
    .split("\n")
    .map((line) => line.split(" "))
    .filter((words) => words.length >= 4)
    .map(([source, path, type, options]) => ({
      source: plain(source),
      path: plain(path),
      type: plain(type),
      options: (options ?? "").split(","),
    }));
}

/** What `mount` prints on macOS and BSD: "/dev/disk3s1 on / (apfs, sealed, local)". */
export function parseMountProgram(text: string): Place[] {
  return text.split("\n").flatMap((line) => {
    const match = /^(.+?) on (\/.*) \(([^,)]+)(?:, ([^)]*))?\)$/.exec(line);
    if (!match) return [];
    const [, source = "", path = "", type = "", options] = match;
    return [{ source, path, type, options: options ? options.split(", ") : [] }];
  });
}

const REMOTE = /^(nfs|cifs|smb|fuse|9p|ceph|gluster|lustre|afs|afp|webdav|ncp)/;
const WITHOUT_SIZE =
  /^(proc|sysfs|cgroup|devpts|mqueue|hugetlbfs|debugfs|tracefs|securityfs|pstore|bpf|configfs|autofs|binfmt_misc|fusectl|nsfs|rpc_pipefs|devfs|selinuxfs|efivarfs)/;

/** Whether its size is asked for: a server that is gone would let the question hang. */
export const hasSize = ({ type }: Pick<Mount, "type">): boolean =>
  !REMOTE.test(type) && !WITHOUT_SIZE.test(type);

export interface Size {
  readonly size: number;
  readonly available: number;
}

/** `df -kP` (POSIX): mount point to bytes. */
export function parseDf(text: string): ReadonlyMap<string, Size> {
  const sizes = new Map<string, Size>();
  for (const line of text.split("\n")) {
    const match = /\s(\d+)\s+\d+\s+(-?\d+)\s+(?:\d+%|-)\s+(\/.*)$/.exec(line);
    if (match)
      sizes.set(match[3]!, {
        size: Number(match[1]) * 1024,
        available: Math.max(0, Number(match[2])) * 1024,
      });
  }
  return sizes;
}

export function withSizes(places: readonly Place[], sizes: ReadonlyMap<string, Size>): Mount[] {
  return places.map((place) => {
    const { size = null, available = null } = (hasSize(place) && sizes.get(place.path)) || {};
    return { ...place, size, available };
  });
}
