import type { WingHost } from "../../../relay/wing.js";
import type { LeafResult, RoleOrder, RolePlan } from "../../vocabulary/order.js";
import type { RoleContext } from "../../vocabulary/resources.js";
import type { Provider, ProviderDefinition } from "../../vocabulary/types.js";
import type { Events } from "../events.js";
import { gatherFacts } from "../facts/gather.js";
import { fetchedFiles } from "../files/fetched.js";
import { Files } from "../files/files.js";
import { OfferedFiles } from "../files/offered.js";
import { type ModuleLoader, ROLE_FILE } from "../modules/loader.js";
import { PartLoader } from "../modules/part-loader.js";
import { readPlan } from "../orders/read-order.js";
import type { Children } from "../process/children.js";
import { type OwnProviders, typeSources } from "../types/sources.js";
import type { AnyType } from "../types/table.js";
import { roleContext } from "./context.js";
import { messageOf, positionIn } from "./position.js";
import { Queue } from "./queue.js";
import { RoleRenderer } from "./renderer.js";
import { roleVariables } from "./variables.js";

export interface RoleParts {
  readonly host: Pick<WingHost, "blob" | "prefetch" | "signal">;
  readonly children: Children;
  readonly events: Events;
  readonly loader: ModuleLoader;
  /** Loads parts of the wing */
  readonly partLoader: Pick<ModuleLoader, "load">;
}

type Main = (context: RoleContext) => unknown;

interface LoadedRole {
  readonly main: Main;
  readonly types?: Readonly<Record<string, AnyType>>;
  readonly providers?: readonly ProviderDefinition[];
}

/** Runs one role. Rejects only when the role could not be started or the run was cancelled. */
export async function runRole(order: RoleOrder, parts: RoleParts): Promise<LeafResult> {
  const { host, loader, events } = parts;
  const plan = readPlan(await host.blob(order.plan));
  const batch = [plan.module, ...Object.values(plan.packages)];
  // Parts that the role seems to use are on their way with it; others are fetched at their first use.
  for (const name of plan.likely) batch.push(plan.parts[name] ?? "");
  const here = host.prefetch(batch);
  const facts = gatherFacts();
  await here;
  const positions = new WeakMap<object, string>();
  const queue = new Queue();
  const strays = watchStrays();
  try {
    const role = roleOf(
      await loader.load({ hash: plan.module, file: ROLE_FILE, packages: plan.packages }),
      plan.role,
    );
    const wingParts = new PartLoader(parts.partLoader, plan.parts);
    const vars = roleVariables(order, plan);
    const offered = new OfferedFiles(host, plan.files, plan.trees);
    const context = roleContext({
      role: plan.role,
      given: { vars, facts, host: order.host, check: plan.check },
      types: typeSources(wingParts, role.types ?? {}),
      providers: ownProviders(role.providers ?? []),
      tools: {
        check: plan.check,
        diff: plan.diff,
        facts,
        files: new Files(),
        offered,
        children: parts.children,
        renderer: new RoleRenderer({ parts: wingParts, offered, plan, vars, facts, host: order.host }),
        parts: wingParts,
        fetched: fetchedFiles(plan, order, events),
        signal: host.signal,
        output: (stream, text) => events.output(stream, text),
      },
      limits: plan,
      queue,
      events,
      positions,
    });
    await Promise.race([toItsEnd(role.main, context, queue), strays.first]);
    await queue.close(new Error("the role has ended"));
    return await conclude(plan, events, undefined);
  } catch (thrown) {
    await queue.close(new Error("the role has ended"));
    if (host.signal.aborted) throw thrown;
    return await conclude(plan, events, roleError(thrown, positions));
  } finally {
    strays.release();
  }
}

async function toItsEnd(main: Main, context: RoleContext, queue: Queue): Promise<void> {
  await main(context);
  await queue.drain();
  // Node tells of rejections that nobody waits for after the microtasks.
  await new Promise(setImmediate);
}

async function conclude(plan: RolePlan, events: Events, error: string | undefined): Promise<LeafResult> {
  const status = error === undefined ? "ok" : "failed";
  await events.role(plan.role, status, error);
  return { kind: "role", status, error: error ?? null };
}

function roleOf(exported: Record<string, unknown>, name: string): LoadedRole {
  const role = exported.role as LoadedRole | undefined;
  if (typeof role?.main !== "function")
    throw new Error(`the module that came for the role ${name} has no main`);
  return role;
}

function ownProviders(definitions: readonly ProviderDefinition[]): OwnProviders {
  const providers = new Map<string, Provider[]>();
  for (const { type, provider } of definitions)
    providers.set(type, [...(providers.get(type) ?? []), provider]);
  return providers;
}

/** The message, and where in the role it happened. */
function roleError(thrown: unknown, positions: WeakMap<object, string>): string {
  const isObject = typeof thrown === "object" && thrown !== null;
  const at = isObject
    ? (positions.get(thrown) ?? positionIn((thrown as { stack?: string }).stack))
    : undefined;
  return `${messageOf(thrown)}${at === undefined ? "" : ` (${at})`}`;
}

/**
 * Errors of the role's own promises and timers that nobody waits for fail it too; Node would end the whole thread,
 * and the operator would not hear why.
 */
function watchStrays(): { readonly first: Promise<never>; release(): void } {
  let fail: (error: unknown) => void = () => undefined;
  const first = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  first.catch(() => undefined);
  const onStray = (error: unknown): void => fail(error);
  process.on("unhandledRejection", onStray);
  process.on("uncaughtException", onStray);
  return {
    first,
    release() {
      process.off("unhandledRejection", onStray);
      process.off("uncaughtException", onStray);
    },
  };
}
