import type { WingHost } from "../../../relay/wing.js";
import type { Value } from "../../../transport/types.js";
import type { RoleOrder } from "../../vocabulary/order.js";
import { Refusal } from "../errors.js";
import type { Events } from "../events.js";
import type { Secrets } from "../secrets.js";
import type { Plan } from "../type.js";
import type { AnyType } from "../types/table.js";
import { Account } from "./account.js";
import { startAs } from "./start.js";

export interface AccountsPort {
  readonly host: Pick<WingHost, "source" | "blob" | "prefetch" | "childStarted" | "childEnded">;
  readonly order: RoleOrder;
  readonly events: Pick<Events, "output">;
  readonly secrets: Pick<Secrets, "add">;
}

/** The processes that do a role's resources as other users: one a user, started when first needed. */
export class Accounts {
  readonly #port: AccountsPort;
  readonly #open = new Map<string, Account>();

  constructor(port: AccountsPort) {
    this.#port = port;
  }

  /** The type, done as that user: planned and applied there, decided on here. `key` is its name in the role's context. */
  typeFor(user: string, key: string, type: AnyType): AnyType {
    return {
      ...type,
      plan: async ({ signal }, name, options): Promise<Plan> => {
        const account = this.#account(user);
        const { id, plan } = await account.plan(key, name, ownOptions(type, options), signal);
        let extra: object = plan.extra;
        let failure: string | undefined;
        return {
          actions: plan.actions,
          ...(plan.diff === null ? {} : { diff: plan.diff }),
          readOnly: plan.readOnly,
          ...(plan.foresees ? { foresee: () => account.foresee(id) } : {}),
          extra: () => extra,
          failure: () => failure,
          async apply() {
            const applied = await account.apply(id, signal);
            extra = applied.extra;
            failure = applied.failure ?? undefined;
            return applied.actions;
          },
        };
      },
    };
  }

  close(): void {
    for (const account of this.#open.values()) account.close();
  }

  #account(user: string): Account {
    const known = this.#open.get(user);
    if (known) return known;
    const { host, order, events, secrets } = this.#port;
    const child = startAs(user, host.source);
    const account = new Account(user, child, order as unknown as Value, {
      blob: (hash) => host.blob(hash),
      prefetch: (hashes) => host.prefetch(hashes),
      secret: (text) => secrets.add([text]),
      output: (stream, text) => events.output(stream, text),
    });
    // What failed to start may start another time
    child.once("close", () => {
      if (this.#open.get(user) === account) this.#open.delete(user);
    });
    this.#open.set(user, account);
    return account;
  }
}

/** What the type itself is told; functions of the result are asked here. */
function ownOptions(type: AnyType, options: object): Value {
  const own: Record<string, Value> = {};
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || !(name in type.options || name === "provider")) continue;
    if (typeof value === "function")
      throw new Refusal(`the option "${name}" is a function, which can't be used with "as"`);
    own[name] = value as Value;
  }
  return own;
}
