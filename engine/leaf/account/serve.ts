import type { Value } from "../../../transport/types.js";
import { causeOf, Refusal } from "../errors.js";
import { facade } from "../modules/facade.js";
import { ModuleLoader } from "../modules/loader.js";
import { SHARED } from "../modules/shared.js";
import { readOrderValue } from "../orders/read-order.js";
import { Children } from "../process/children.js";
import { chooseProvider } from "../provider.js";
import { fetchPlan, type LoadedRole, loadRole } from "../role/load-role.js";
import { Secrets } from "../secrets.js";
import type { Plan } from "../type.js";
import { typeContext } from "../type-context.js";
import { type FromAccount, frameMessage, messageReader, type ToAccount } from "./messages.js";

interface Planned {
  readonly stop: AbortController;
  plan?: Plan;
}

/** The other side of an Account: plans and applies what it is told, as the user that this process runs as. */
export function serveAccount(user: string): void {
  process.title = `mop as ${user}`;
  const { stdin, stdout } = process;
  const say = (message: FromAccount) => void stdout.write(frameMessage(message));
  // Whatever else writes to stdout goes to stderr
  Object.defineProperty(process, "stdout", { configurable: true, get: () => process.stderr });
  const children = new Children({ childStarted: () => undefined, childEnded: () => undefined });
  const blobs = new Map<number, { resolve(body: Uint8Array): void; reject(error: Error): void }>();
  const planned = new Map<number, Planned>();
  let asked = 0;
  let role: Promise<LoadedRole> | undefined;

  const host = {
    kept: undefined,
    blob: (hash: string) =>
      new Promise<Uint8Array>((resolve, reject) => {
        blobs.set(++asked, { resolve, reject });
        say({ type: "blob", id: asked, hash });
      }),
    prefetch: async (hashes: readonly string[]) => say({ type: "prefetch", hashes }),
    signal: new AbortController().signal,
  };
  const secrets = new Secrets((text) => say({ type: "secret", text }));
  const open = async (value: Value): Promise<LoadedRole> => {
    const order = readOrderValue(value);
    if (order.kind !== "role") throw new Refusal("only a role has resources");
    const loaded = await loadRole(order, await fetchPlan(order, host), {
      host,
      children,
      events: {
        output: async (stream, text) => say({ type: "output", stream, text }),
        fetch: () => Promise.reject(new Refusal('another user\'s process sends no files; leave "as" away')),
      },
      reboots: {
        resumed: false,
        request: () => {
          throw new Refusal('another user\'s process does not restart the host; leave "as" away');
        },
      },
      loader: new ModuleLoader(host, { mop: facade(secrets.mark) }, console),
      partLoader: new ModuleLoader(host, SHARED, console),
    });
    secrets.begin();
    // What the role's own process planned so far is not known here
    if (loaded.tools.check) loaded.tools.files.doubt();
    return loaded;
  };

  async function plan({ id, key, name, options }: Extract<ToAccount, { type: "plan" }>): Promise<void> {
    const entry: Planned = { stop: new AbortController() };
    planned.set(id, entry);
    const { types, tools, providers } = await role!;
    const source = types.find((one) => one.name === key);
    if (!source) throw new Refusal(`there is no type "${key}"`);
    const type = await source.find();
    const own = options as { readonly provider?: string };
    const provider = type.providers
      ? chooseProvider([...(providers.get(type.name) ?? []), ...type.providers], own.provider, tools.facts)
      : undefined;
    const made = await type.plan(typeContext(tools, entry.stop.signal), name, own, provider);
    entry.plan = made;
    say({
      type: "planned",
      id,
      plan: {
        actions: made.actions,
        diff: made.diff ?? null,
        readOnly: made.readOnly ?? false,
        foresees: made.foresee !== undefined,
        extra: extraOf(made),
      },
    });
  }

  async function apply(id: number): Promise<void> {
    const made = planned.get(id)?.plan;
    if (!made) throw new Refusal("it was not planned");
    const actions = await made.apply();
    say({
      type: "applied",
      id,
      applied: { actions, extra: extraOf(made), failure: made.failure?.() ?? null },
    });
  }

  function take(message: ToAccount): void {
    switch (message.type) {
      case "order":
        role = open(message.order);
        role.catch(() => undefined);
        return;
      case "blob": {
        const waiting = blobs.get(message.id);
        blobs.delete(message.id);
        if (message.body) waiting?.resolve(message.body);
        else waiting?.reject(new Refusal(message.error ?? "it can't be had"));
        return;
      }
      case "cancel":
        planned.get(message.id)?.stop.abort(new Refusal("it was cancelled"));
        return;
      case "foresee":
        planned.get(message.id)?.plan?.foresee?.();
        return;
    }
    const { id } = message;
    (message.type === "plan" ? plan(message) : apply(id)).catch((error: unknown) =>
      say({ type: "refused", id, message: causeOf(error) }),
    );
  }

  const read = messageReader<ToAccount>();
  stdin.on("data", (chunk: Buffer) => {
    for (const message of read(chunk)) take(message);
  });
  stdin.on("end", () => {
    children.killAll();
    process.exit(0);
  });
  process.on("exit", () => children.killAll());
  stdin.resume();
}

const extraOf = (plan: Plan): { readonly [name: string]: Value } =>
  (plan.extra?.() ?? {}) as { readonly [name: string]: Value };
