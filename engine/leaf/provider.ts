import type { Facts } from "../vocabulary/facts.js";
import type { Provider } from "../vocabulary/types.js";
import { Refusal } from "./errors.js";

/** The provider that `wanted` names, or the first that suits the host. Throws a Refusal that names them all. */
export function chooseProvider<P extends Provider>(
  providers: readonly P[],
  wanted: string | undefined,
  facts: Facts,
): P {
  const found = providers.find(({ name, suits }) => (wanted === undefined ? suits(facts) : name === wanted));
  if (found) return found;
  const names = providers.map(({ name }) => name).join(", ");
  throw new Refusal(
    wanted === undefined
      ? `none of its providers suits this host; name one with the option "provider": ${names}`
      : `it has no provider "${wanted}"; its providers are ${names}`,
  );
}
