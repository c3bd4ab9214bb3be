import { type GroupProvider, isBusybox, step, type UserProvider } from "./provider.js";
import { formatDay } from "./tables.js";

const suits: UserProvider["suits"] = (facts) => facts.platform === "linux" && !isBusybox(facts);

/** An option with its value, or nothing. */
const flag = (name: string, value: string | number | undefined): (string | number)[] =>
  value === undefined ? [] : [name, value];

/** useradd, usermod and userdel, as nearly every Linux has them. */
export const shadowUsers: UserProvider = {
  name: "shadow-utils",
  suits,
  create(context, user) {
    const { name, groups, createHome, expires } = user;
    const args = [
      ...flag("-u", user.uid),
      ...(user.group === undefined ? ["-U"] : ["-g", user.group]),
      ...flag("-G", groups.length > 0 ? groups.join(",") : undefined),
      ...flag("-d", user.home),
      createHome ? "-m" : "-M",
      ...flag("-s", user.shell),
      ...flag("-c", user.comment),
      ...flag("-e", expires === undefined ? undefined : formatDay(expires)),
      ...(user.system ? ["-r"] : []),
      name,
    ];
    return [step(context, "useradd", args)];
  },
  change(context, { name }, { uid, gid, groups, home, shell, comment, expires }) {
    const args = [
      ...flag("-u", uid),
      ...flag("-g", gid),
      ...flag("-G", groups?.after.join(",")),
      ...(home ? ["-d", home.to, ...(home.move ? ["-m"] : [])] : []),
      ...flag("-s", shell),
      ...flag("-c", comment),
      ...flag("-e", expires === undefined ? undefined : expires === null ? "" : formatDay(expires)),
    ];
    return args.length > 0 ? [step(context, "usermod", [...args, name])] : [];
  },
  remove: (context, { name }, home) => [step(context, "userdel", [...(home ? ["-r"] : []), name])],
};

/** groupadd, groupmod, groupdel; gpasswd for who is in it. */
export const shadowGroups: GroupProvider = {
  name: "shadow-utils",
  suits,
  create: (context, name, gid, system) => [
    step(context, "groupadd", [...flag("-g", gid), ...(system ? ["-r"] : []), name]),
  ],
  change: (context, { name }, { gid, members }) => [
    ...(gid === undefined ? [] : [step(context, "groupmod", ["-g", gid, name])]),
    ...(members === undefined ? [] : [step(context, "gpasswd", ["-M", members.join(","), name])]),
  ],
  remove: (context, { name }) => [step(context, "groupdel", [name])],
};
