import { createHash } from "node:crypto";
import { hostFolder } from "../../vocabulary/fetched.js";
import type { RoleOrder, RolePlan } from "../../vocabulary/order.js";
import { Refusal } from "../errors.js";
import type { Events } from "../events.js";
import type { FetchedFiles } from "../type.js";

/** Bytes of one event */
const PIECE = 256 * 1024;

/** Files of this host on their way to the controller, which says where they go. */
export function fetchedFiles(
  { fetchTo = [] }: Pick<RolePlan, "fetchTo">,
  { held = {}, host }: Pick<RoleOrder, "held" | "host">,
  events: Pick<Events, "fetch">,
): FetchedFiles {
  const since = new Map<string, string>();
  return {
    held(folder, path) {
      if (fetchTo.includes(folder)) return since.get(`${folder}${path}`) ?? held[folder]?.[path];
      throw new Refusal(
        `the controller does not take files to "${folder}"; write the folder as a literal string in the call of fetch`,
      );
    },
    remember: (folder, path, hash) => void since.set(`${folder}${path}`, hash),
    place: (folder, path) => `${folder}/${hostFolder(host.name)}${path}`,
    async send(folder, path, { size, hash }, content) {
      const whole = createHash("sha256");
      let offset = 0;
      // The last piece makes it a file there, so it goes when all is known to be right.
      let waiting = new Uint8Array();
      const sendWaiting = () => {
        const at = offset;
        offset += waiting.length;
        return events.fetch({ event: "fetch", folder, path, size, hash, offset: at, bytes: waiting });
      };
      for await (const bytes of content) {
        whole.update(bytes);
        for (let from = 0; from < bytes.length; from += PIECE) {
          if (waiting.length > 0) await sendWaiting();
          waiting = bytes.slice(from, from + PIECE);
        }
      }
      if (offset + waiting.length !== size || whole.digest("hex") !== hash)
        throw new Refusal("it changed while it was read");
      await sendWaiting();
    },
  };
}
