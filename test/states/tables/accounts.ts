/** Hashes of two passwords. */
export const HASH =
  "$6$saltsalt$Wb9lIh5mSbkDfAAvNSiS4mYvnCfk6cKyFKkVeyWH7Y5t5dMzL0bbmXWq8B9mJ3oQYI5C0nnSgUMt5d3k4n0Aw1";
export const OTHER = HASH.replace("Wb9l", "Xc0m");

/** Brings about the accounts that `USERS` and `GROUPS` find: u1 to u20 with their groups, and h1 to h20. */
export const ACCOUNTS = `set -e
        groupadd -g 2900 base; groupadd extra; groupadd more
        for n in $(seq 1 20); do groupadd -g $((3000 + n)) g$n; useradd -m -u $((3000 + n)) -g g$n u$n; done
        for n in $(seq 1 20); do groupadd -g $((4000 + n)) h$n; done
        usermod -aG base,extra u5; usermod -aG base u6; usermod -aG base u7; usermod -L u10
        for n in 11 12 13; do echo "u$n:${HASH.replaceAll("$", "\\$")}" | chpasswd -e; done; usermod -L u12
        usermod -e 2026-01-01 u14; usermod -e 2026-01-01 u15; rm -r /home/u16; usermod -c "Old" u17
        for n in 5 6 7 8; do gpasswd -M u1,u2 h$n; done`;

/** What is asked of users in as many states ... */
export const USERS: Readonly<Record<string, object>> = {
  u1: { uid: 5001 },
  u2: { group: "base" },
  u3: { group: 2900, uid: 5003 },
  u4: { groups: ["extra", "base"] },
  u5: { groups: [] },
  u6: { groups: ["extra"] },
  u7: { groups: ["more"], append: true },
  u8: { home: "/srv/u8" },
  u9: { home: "/srv/u9", moveHome: true, uid: 5009 },
  u10: { locked: false },
  u11: { password: OTHER },
  u12: { password: OTHER, shell: "/bin/dash" },
  u13: { password: OTHER, keepPassword: true, locked: true },
  u14: { expires: "never" },
  u15: { expires: "2028-02-29" },
  u16: { createHome: true },
  u17: { comment: "" },
  u18: { comment: "New one", shell: "/bin/bash", group: "base", groups: ["more"] },
  u19: { absent: true },
  u20: { absent: true, removeHome: true },
};

/** ... and of groups. */
export const GROUPS: Readonly<Record<string, object>> = {
  h1: { gid: 4101 },
  h2: { members: ["u1"] },
  h3: { members: ["u1", "u2"], gid: 4103 },
  h4: { members: [] },
  h5: { members: [] },
  h6: { members: ["u3"] },
  h7: { members: ["u3"], append: true },
  h8: { members: ["u2", "u1"] },
  h9: { absent: true },
  h10: { gid: 4010 },
  h11: { system: true },
  g1: { gid: 4201 },
  g2: { absent: true },
  n1: {},
  n2: { gid: 4302 },
  n3: { system: true, members: ["u8"] },
  n4: { absent: true },
  n5: { gid: 4305, members: ["u8", "u9"] },
  extra: { gid: 2950 },
  more: { members: ["u7", "u18", "u10"] },
};
