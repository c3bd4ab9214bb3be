import type { Attributes } from "./files.js";

export const READ = 4;
export const WRITE = 2;
export const PASS = 1;

/** Whether this user has these rights (bits as in one octal digit) on something that was only planned. */
export function permits({ mode, uid, gid }: Attributes, rights: number): boolean {
  const me = process.geteuid?.() ?? 0;
  if (me === 0) return true;
  const groups = [process.getegid?.(), ...(process.getgroups?.() ?? [])];
  const shift = uid === me ? 6 : groups.includes(gid) ? 3 : 0;
  return ((mode >> shift) & rights) === rights;
}
