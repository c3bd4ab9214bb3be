import { createReadStream } from "node:fs";
import { FETCHED } from "../../../vocabulary/fetched.js";
import type { FetchOptions, FetchResult } from "../../../vocabulary/resources.js";
import { Refusal, refuse } from "../../errors.js";
import { rules } from "../../options.js";
import type { ResourceType } from "../../type.js";

const MIB = 1024 * 1024;
const MAX_SIZE = 10 * MIB;
/** What the controller takes */
const MOST = 256 * MIB;
/** Pieces in which it is read */
const PIECE = 256 * 1024;

/** A file of the host's on the controller. */
export const fetch: ResourceType<FetchOptions, FetchResult> = {
  name: "fetch",
  options: { to: rules.path, maxSize: rules.count },
  async plan(context, name, options) {
    const { files, fetched, check, diff } = context;
    const { to = FETCHED, maxSize = MAX_SIZE } = options;
    if (maxSize > MOST) throw new Refusal(`the option "maxSize" may be ${MOST} at most, not ${maxSize}`);
    const { path, entry } = await files.resolve(name, true);
    const held = fetched.held(to, path);
    const there = fetched.place(to, path);
    const extra = () => ({ to: there });
    if (!entry) {
      // A command before it may have made it by then.
      if (check && files.uncertain) return { actions: ["fetch"], apply: async () => [], extra };
      throw new Refusal("it does not exist on the host");
    }
    if (entry.kind !== "file")
      throw new Refusal(entry.kind === "directory" ? "a folder stands there" : "it is no ordinary file");
    if (entry.size > maxSize)
      throw new Refusal(`it has ${entry.size} bytes; "maxSize" allows ${maxSize} to be fetched`);
    const hash = await files.hash(path, entry);
    if (hash === held) return { actions: [], apply: async () => [], extra, foresee: () => undefined };
    const { size } = entry;
    return {
      actions: ["fetch"],
      ...(diff ? { diff: `${there}: ${held ? "other content" : "no file"} -> ${size} bytes\n` } : {}),
      extra,
      foresee: () => fetched.remember(to, path, hash),
      async apply() {
        const content = createReadStream(path, { highWaterMark: PIECE });
        try {
          await fetched.send(to, path, { size, hash }, content as AsyncIterable<Uint8Array>);
        } catch (error) {
          throw refuse("it can't be fetched", error);
        }
        fetched.remember(to, path, hash);
        return ["fetch"];
      },
    };
  },
};
