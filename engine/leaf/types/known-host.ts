import type { KnownHostOptions } from "../../vocabulary/resources.js";
import { Refusal } from "../errors.js";
import { rules } from "../options.js";
import { NOTHING, type ResourceType, type TypeContext } from "../type.js";
import { Accounts } from "./accounts/database.js";
import { homeKeyFile, type KeyFile, keyFileAt, planKeyFile } from "./accounts/key-file.js";
import { normalName, withHost, withoutHost } from "./accounts/known-hosts.js";
import { keysOf, noKey, type PublicKey, parseKey } from "./accounts/public-key.js";
import { keyRule } from "./authorized-key.js";

const GLOBAL = "/etc/ssh/ssh_known_hosts";

/** The keys by which a host is known, or that it is not. */
export const knownHost: ResourceType<KnownHostOptions> = {
  name: "knownHost",
  options: {
    key: keyRule,
    path: rules.path,
    user: rules.text,
    hash: rules.flag,
    exclusive: rules.flag,
    absent: rules.flag,
  },
  async plan(context, given, options) {
    const { path, user, absent, hash = false, exclusive = false } = options;
    if (/[\s,*?!|#@]/.test(given) || given === "")
      throw new Refusal(
        `"${given.slice(0, 60)}" can't be a host's name; it is one name without patterns, such as "git.example.org" or "[git.example.org]:2222"`,
      );
    if (path !== undefined && user !== undefined) throw new Refusal('it can\'t have both "path" and "user"');
    if (absent && (hash || exclusive)) throw new Refusal('"absent" goes with "key", "path" and "user" only');
    const keys = wantedKeys(options);
    const name = normalName(given);
    const file = await fileOf(context, path, user);
    if (file === undefined) return absent ? NOTHING : { actions: ["add"], apply: async () => [] };
    const edit = absent
      ? withoutHost(file.text, name, keys.length > 0 ? new Set(keys.map(({ blob }) => blob)) : undefined)
      : withHost(file.text, { name, keys, hash, exclusive });
    if (edit.actions.length === 0) return NOTHING;
    const { owner } = file;
    const wanted = { mode: undefined, uid: owner?.uid, gid: owner?.gid };
    return planKeyFile(context, file, { ...edit, wanted });
  },
};

/** undefined: its user may be made by what a check did not run. */
async function fileOf(
  context: TypeContext,
  path: string | undefined,
  user: string | undefined,
): Promise<KeyFile | undefined> {
  if (user === undefined) return keyFileAt(context, path ?? GLOBAL);
  const account = (await Accounts.read(context)).user(user);
  if (account) return homeKeyFile(context, account, "known_hosts");
  if (context.uncertain()) return undefined;
  throw new Refusal(`the user "${user}" does not exist on this host; make it with user() before`);
}

function wantedKeys({ key, absent }: KnownHostOptions): PublicKey[] {
  const texts = keysOf(key);
  if (!Array.isArray(texts) || (texts.length === 0 && !absent))
    throw new Refusal('it needs the option "key": the host\'s public key, or a list of such');
  return texts.map((text: unknown, index) => {
    const found = typeof text === "string" && !/[\r\n]/.test(text.trim()) ? parseKey(text.trim()) : undefined;
    if (!found) throw noKey(index, Array.isArray(key));
    return found;
  });
}
