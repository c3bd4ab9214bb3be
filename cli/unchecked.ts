import { isUnchecked } from "../engine/controller/run/summarize.js";
import type { DialingMesh, Hop } from "../relay/mesh/types.js";

const WARNING =
  "host keys are not checked (--host-keys off, or StrictHostKeyChecking no or NoHostAuthenticationForLocalhost in ssh's " +
  "configuration): whoever answers in a host's place gets what it is given, passwords too";

/** The mesh, with a warning once, before the first login at a host whose key is not checked. */
export function warnUnchecked(mesh: DialingMesh, note: (text: string) => void): DialingMesh {
  let told = false;
  const look = (route: readonly Hop[]) => {
    if (told || !route.some(isUnchecked)) return;
    told = true;
    note(`warning: ${WARNING}`);
  };
  return {
    ...mesh,
    reach(route, again) {
      look(route);
      return mesh.reach(route, again);
    },
    openPipe(route, target, dialling) {
      look(route);
      return mesh.openPipe(route, target, dialling);
    },
  };
}
