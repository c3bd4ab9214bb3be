import type { WingHost } from "../../../relay/wing.js";
import type { FactDefinition } from "../../vocabulary/facts.js";
import type { RoleOrder, RolePlan } from "../../vocabulary/order.js";
import type { RoleContext } from "../../vocabulary/resources.js";
import type { Provider, ProviderDefinition } from "../../vocabulary/types.js";
import type { Events } from "../events.js";
import { gatherFacts } from "../facts/gather.js";
import { roleFacts } from "../facts/role-facts.js";
import { fetchedFiles } from "../files/fetched.js";
import { Files } from "../files/files.js";
import type { Foresight } from "../files/foresight.js";
import { OfferedFiles } from "../files/offered.js";
import { type ModuleLoader, ROLE_FILE } from "../modules/loader.js";
import { PartLoader } from "../modules/part-loader.js";
import { readPlan } from "../orders/read-order.js";
import type { Children } from "../process/children.js";
import type { RoleTools } from "../type.js";
import { typeContext } from "../type-context.js";
import { type OwnProviders, type TypeSource, typeSources } from "../types/sources.js";
import type { AnyType } from "../types/table.js";
import { RoleRenderer } from "./renderer.js";
import { roleVariables } from "./variables.js";

export interface RoleParts {
  readonly host: Pick<WingHost, "blob" | "prefetch" | "signal" | "kept">;
  readonly children: Children;
  readonly events: Pick<Events, "output" | "fetch">;
  readonly reboots: RoleTools["reboots"];
  readonly loader: ModuleLoader;
  /** Loads parts of the wing */
  readonly partLoader: Pick<ModuleLoader, "load">;
}

/** A role on this host, ready to run. */
export interface LoadedRole {
  readonly main: (context: RoleContext) => unknown;
  readonly vars: RoleContext["vars"];
  readonly facts: RoleContext["facts"];
  readonly types: readonly TypeSource[];
  readonly providers: OwnProviders;
  readonly tools: RoleTools;
}

export async function fetchPlan(order: RoleOrder, host: Pick<WingHost, "blob">): Promise<RolePlan> {
  const plan = readPlan(await host.blob(order.plan));
  const { vars = {}, extraVars = {} } = order.secretVars ?? {};
  return { ...plan, vars: { ...plan.vars, ...vars }, extraVars: { ...plan.extraVars, ...extraVars } };
}

/** Fetches the role's code, and gathers what its resources work with. */
export async function loadRole(order: RoleOrder, plan: RolePlan, parts: RoleParts): Promise<LoadedRole> {
  const { host, loader, events } = parts;
  const batch = [plan.module, ...Object.values(plan.packages)];
  // Parts that the role seems to use are on their way with it; others are fetched at their first use.
  for (const name of plan.likely) batch.push(plan.parts[name] ?? "");
  const here = host.prefetch(batch);
  const facts = gatherFacts();
  await here;
  const role = roleOf(
    await loader.load({ hash: plan.module, file: ROLE_FILE, packages: plan.packages }),
    plan.role,
  );
  const wingParts = new PartLoader(parts.partLoader, plan.parts);
  const vars = roleVariables(order, plan);
  const offered = new OfferedFiles(host, plan.files, plan.trees);
  const earlier = plan.check && order.follows ? (host.kept as Foresight | undefined) : undefined;
  const files = new Files(earlier, (hash) => host.blob(hash));
  // What was planned as another user, or by a program that is gone, is not known here.
  if (plan.check && (order.unsure || (order.follows && !earlier))) files.doubt();
  const tools: RoleTools = {
    check: plan.check,
    diff: plan.diff,
    facts,
    files,
    offered,
    children: parts.children,
    renderer: new RoleRenderer({ parts: wingParts, offered, plan, vars, facts, host: order.host }),
    parts: wingParts,
    fetched: fetchedFiles(plan, order, events),
    reboots: parts.reboots,
    signal: host.signal,
    output: (stream, text) => events.output(stream, text),
  };
  const { exec, read } = typeContext(tools, host.signal);
  return {
    main: role.main,
    vars,
    facts: roleFacts({
      facts,
      files: tools.files,
      parts: wingParts,
      context: { signal: host.signal, exec, read },
      own: role.facts ?? {},
    }),
    types: typeSources(wingParts, role.types ?? {}),
    providers: ownProviders(role.providers ?? []),
    tools,
  };
}

interface ExportedRole {
  readonly main: LoadedRole["main"];
  readonly types?: Readonly<Record<string, AnyType>>;
  readonly facts?: Readonly<Record<string, FactDefinition>>;
  readonly providers?: readonly ProviderDefinition[];
}

function roleOf(exported: Record<string, unknown>, name: string): ExportedRole {
  const role = exported.role as ExportedRole | undefined;
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
