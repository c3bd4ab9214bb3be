import type { AuthorizedKeyOptions } from "../../vocabulary/resources.js";
import type { Rule } from "../../vocabulary/types.js";
import { Refusal } from "../errors.js";
import { either, rules } from "../options.js";
import { NOTHING, type ResourceType } from "../type.js";
import { parseEntry, type WantedEntry, withKeys, withoutKeys } from "./accounts/authorized-keys.js";
import { Accounts } from "./accounts/database.js";
import { homeKeyFile, keyFileAt, planKeyFile } from "./accounts/key-file.js";
import { keysOf, noKey } from "./accounts/public-key.js";

const line: Rule = {
  expected: "a text of one line",
  test: (value) => typeof value === "string" && !/[\r\n\0]/.test(value),
};
/** Its error must not quote what may be a private key that was given by mistake. */
export const keyRule: Rule = { expected: "a public key or a list of such", test: () => true };

/** Entries of a user's authorized_keys, or that there are none such. */
export const authorizedKey: ResourceType<AuthorizedKeyOptions> = {
  name: "authorizedKey",
  options: {
    key: keyRule,
    options: either(line, rules.list),
    comment: line,
    path: rules.path,
    exclusive: rules.flag,
    absent: rules.flag,
  },
  async plan(context, name, options) {
    const wanted = wantedEntries(options);
    const accounts = await Accounts.read(context);
    const user = accounts.user(name);
    if (!user) {
      if (options.absent) return NOTHING;
      if (context.uncertain()) return { actions: ["add"], apply: async () => [] };
      throw new Refusal(`the user "${name}" does not exist on this host; make it with user() before`);
    }
    const { path } = options;
    const file = await (path === undefined
      ? homeKeyFile(context, user, "authorized_keys")
      : keyFileAt(context, path));
    const edit = options.absent
      ? withoutKeys(file.text, new Set(wanted.map(({ blob }) => blob)))
      : withKeys(file.text, wanted, options.exclusive ?? false);
    if (options.absent && edit.actions.length === 0) return NOTHING;
    return planKeyFile(context, file, { ...edit, wanted: { mode: 0o600, uid: user.uid, gid: user.gid } });
  },
};

function wantedEntries({ key, options, comment, exclusive, absent }: AuthorizedKeyOptions): WantedEntry[] {
  const texts = keysOf(key);
  if (!Array.isArray(texts) || (texts.length === 0 && !(exclusive && !absent)))
    throw new Refusal('it needs the option "key": a public key, or a list of such');
  if (absent && (exclusive || options !== undefined || comment !== undefined))
    throw new Refusal('"absent" goes with "key" and "path" only');
  const given = typeof options === "string" || options === undefined ? options : options.join(",");
  return texts.map((text: unknown, index) => {
    const entry = typeof text === "string" && !/[\r\n]/.test(text.trim()) ? parseEntry(text) : undefined;
    if (!entry) throw noKey(index, Array.isArray(key));
    return {
      kind: entry.kind,
      blob: entry.blob,
      options: given ?? (entry.options === "" ? undefined : entry.options),
      comment: comment ?? (entry.comment === "" ? undefined : entry.comment),
    };
  });
}
