import { MAX_EVENT, type WingHost } from "../../../relay/wing.js";
import type { Value } from "../../../transport/types.js";
import { encodeValue } from "../../../transport/wire/value.js";
import { GATHERED, PLAIN } from "../../vocabulary/facts.js";
import type { FactsOrder, LeafResult } from "../../vocabulary/order.js";
import { causeOf } from "../errors.js";
import { gatherFacts } from "../facts/gather.js";
import { roleFacts } from "../facts/role-facts.js";
import { Files } from "../files/files.js";
import type { ModuleLoader } from "../modules/loader.js";
import { PartLoader } from "../modules/part-loader.js";
import type { Children } from "../process/children.js";
import { execute } from "../process/execute.js";

/** Bytes of a result beside its facts, at most */
const ENVELOPE = 64 * 1024;

export interface FactsParts {
  readonly host: Pick<WingHost, "signal" | "prefetch">;
  readonly children: Pick<Children, "run">;
  readonly loader: Pick<ModuleLoader, "load">;
}

/** Gathers this host's facts, those too that roles have to ask for. What fails is told, the others come all the same. */
export async function runFacts(
  order: FactsOrder,
  { host, children, loader }: FactsParts,
): Promise<LeafResult> {
  const { signal } = host;
  const wanted = (name: string) => order.names.length === 0 || order.names.includes(name);
  const facts = roleFacts({
    facts: gatherFacts(),
    files: new Files(),
    parts: new PartLoader(loader, order.parts),
    context: {
      signal,
      exec: (program, args, options) => execute(children, signal, program, args, options),
      read: async () => undefined,
    },
    own: {},
  });
  const found: Record<string, Value> = {};
  const errors: string[] = [];
  for (const name of PLAIN) if (wanted(name)) found[name] = facts[name] as unknown as Value;
  for (const name of GATHERED.filter(wanted))
    try {
      found[name] = (await facts[name]()) as unknown as Value;
    } catch (error) {
      errors.push(causeOf(error));
    }
  const size = encodeValue(found).length;
  if (size > MAX_EVENT - ENVELOPE)
    throw new Error(`its facts are too large to be sent: ${size} bytes, at most ${MAX_EVENT - ENVELOPE}`);
  return { kind: "facts", facts: found, error: errors.length > 0 ? errors.join("; ").slice(0, 8192) : null };
}
