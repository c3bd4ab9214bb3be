import type { OnAudit } from "../relay/mesh/audit.js";
import type { BastionKind, LinkReport, Mesh as RelayMesh } from "../relay/mesh/types.js";
import type { HostKeyPolicy, LoginPace, Prompter } from "../transport/ssh/types.js";
import type { MopPackage } from "./controller/policy/mop-package.js";
import type { RoutePlanner } from "./controller/route/routes.js";
import type { SshLookup } from "./controller/route/ssh-settings.js";
import type { RunOptions, RunResult, TargetOptions } from "./controller/run/options.js";
import type { NamedRuntimes } from "./controller/runtimes/supply.js";
import { type Output, RemoteHost } from "./remote-host.js";
import type { RunEvent } from "./vocabulary/events.js";
import type { InventorySource } from "./vocabulary/language.js";

export interface MeshOptions {
  /** A file's path, the structure itself or a function that returns it; default: none, hosts are [user@]host[:port] */
  readonly inventory?: string | InventorySource;
  /** OpenSSH's configuration: a file, "none", or a lookup of one's own. Default: what `ssh` reads */
  readonly sshConfig?: string | SshLookup;
  /** Login name where nothing else says one */
  readonly user?: string;
  /** Private key, used before all others */
  readonly identity?: string;
  /** Login password of targets for which the inventory has none */
  readonly password?: string;
  /** Known host keys instead of ~/.ssh/known_hosts */
  readonly knownHosts?: string;
  /** Default: what OpenSSH's configuration says, else "strict" */
  readonly hostKeys?: HostKeyPolicy;
  /** How bastions are passed where the inventory is silent. Default "auto": as relays, or jumps where no node can be had */
  readonly hop?: BastionKind | "auto";
  /** Seconds until a host counts as unreachable */
  readonly connectTimeout?: number;
  /** Which login steps go ahead unanswered. Default "eager" */
  readonly pace?: LoginPace;
  /** Who answers questions; default: nobody, a login that would ask fails */
  readonly prompter?: Prompter;
  /** Files with a Node for hosts that have none, by platform ("linux-arm64"), as [runtimes] in defaults.toml */
  readonly runtimes?: NamedRuntimes;
  /** Closes everything when aborted */
  readonly signal?: AbortSignal;
  /** What relative paths are relative to. Default: the working folder */
  readonly cwd?: string;
  /** Notes in passing of a host, as where its Node was found. The text is the host's: escape it for terminals */
  readonly onNotice?: (host: string, text: string) => void;
  /** Each login, hand-off and elevation with its outcome, as the command line's audit log has them */
  readonly onAudit?: OnAudit;
  /** What functions that were called on hosts print there */
  readonly onOutput?: (host: string, output: Output) => void;
}

/** What a mesh stands on when not on its own; for tests. */
export interface MeshParts {
  readonly relay?: RelayMesh;
  readonly mop?: MopPackage;
}

export interface ConnectOptions {
  /** The way there instead of mop_via: inventory names or [user@]host[:port], the first hop first */
  readonly via?: readonly string[];
}

export type PushOptions = Pick<
  RunOptions,
  | "check"
  | "diff"
  | "verify"
  | "log"
  | "extraVars"
  | "tags"
  | "skipTags"
  | "typeCheck"
  | "limitHosts"
  | "limitGroups"
  | "onWarning"
> & {
  readonly via?: readonly string[];
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
};

/**
 * Hosts behind nested bastions, reached over one tree of nodes: a bastion that several hosts share is logged in to
 * once. `await using` closes it; so does `close`.
 */
export class Mesh implements AsyncDisposable {
  /** The tree itself, for programs that bring orders of their own */
  readonly relay: RelayMesh;
  readonly #options: MeshOptions;
  readonly #targets: TargetOptions;
  readonly #planner: RoutePlanner;
  readonly #mop: MopPackage | undefined;
  #closing: Promise<void> | undefined;

  private constructor(
    { relay, mop }: MeshParts & { readonly relay: RelayMesh },
    options: MeshOptions,
    targets: TargetOptions,
    planner: RoutePlanner,
  ) {
    this.relay = relay;
    this.#mop = mop;
    this.#options = options;
    this.#targets = targets;
    this.#planner = planner;
  }

  /**
   * Reads inventory and configuration; contacts nothing. Throws PolicyError when they are at fault.
   */
  static async open(options: MeshOptions = {}, parts: MeshParts = {}): Promise<Mesh> {
    // Loaded here, since policies import this module too and need none of it.
    const [{ openSshLookup }, { openInventory }, { resolveInventory }, { routePlanner }, { createMesh }] =
      await Promise.all([
        import("./controller/route/ssh-config.js"),
        import("./controller/run/targets.js"),
        import("./controller/inventory/inventory.js"),
        import("./controller/route/routes.js"),
        import("../relay/mesh/create.js"),
      ]);
    const { sshConfig, connectTimeout, inventory: source } = options;
    const cwd = options.cwd ?? process.cwd();
    const routes = {
      user: options.user,
      identity: options.identity,
      password: options.password,
      knownHosts: options.knownHosts,
      hostKeys: options.hostKeys,
      hop: options.hop,
      connectTimeoutMs: connectTimeout === undefined ? undefined : connectTimeout * 1000,
      sshConfig: typeof sshConfig === "function" ? sshConfig : openSshLookup({ file: sshConfig }),
    };
    const { inventory, folder } =
      source === undefined
        ? { inventory: resolveInventory({}, "no inventory"), folder: cwd }
        : await openInventory({ inventory: source, cwd });
    const relay = parts.relay ?? createMesh(await treeOptions(options));
    const targets = { routes, cwd, ...(source === undefined ? {} : { inventory: source }) };
    return new Mesh({ ...parts, relay }, options, targets, routePlanner(inventory, { folder, ...routes }));
  }

  /**
   * Reaches a host of the inventory, or `[user@]host[:port]`. Rejects with PolicyError for a route that leads nowhere
   * and with UnreachableError (a MopError whose `at` names the hop where it ended).
   */
  async connect(host: string, options: ConnectOptions = {}): Promise<RemoteHost> {
    const { withWays } = await import("./controller/route/way-mesh.js");
    const mesh = withWays(this.relay);
    const node = mesh.reachBy(await this.#planner.ways(host, options.via));
    node.dispatched.catch(() => undefined);
    await node.up;
    const { onOutput } = this.#options;
    const { mopPackage } = await import("./controller/policy/mop-package.js");
    return new RemoteHost({
      mesh,
      node,
      mop: this.#mop ?? mopPackage(),
      onOutput: onOutput && ((output) => onOutput(node.name, output)),
    });
  }

  /**
   * Applies a policy (a file or its folder) to the hosts of the mesh's inventory, or of the policy's own where the mesh
   * has none. Throws PolicyError before anything is contacted; what happens on hosts is in the result.
   */
  async push(policy: string, options: PushOptions = {}): Promise<RunResult> {
    const { runPolicy } = await import("./controller/run/run-policy.js");
    const { via, onEvent, signal = this.#options.signal, ...rest } = options;
    const routes = { ...this.#targets.routes, via };
    return runPolicy(
      {
        ...rest,
        ...this.#targets,
        routes,
        policy,
        ...(signal ? { signal } : {}),
        ...(this.#mop ? { mop: this.#mop } : {}),
      },
      this.relay,
      (event) => onEvent?.(event),
    );
  }

  /** Bytes that went over each link so far. */
  links(): Promise<readonly LinkReport[]> {
    return this.relay.links();
  }

  /** Ends every node, deepest first; nothing of ours runs anywhere afterwards. */
  close(): Promise<void> {
    this.#closing ??= this.relay.close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function treeOptions(options: MeshOptions) {
  const { operatorName, runId } = await import("./controller/run/leaf-log.js");
  const { pace = "eager", prompter, signal, onNotice, onAudit } = options;
  return {
    pace,
    run: runId(),
    operator: operatorName(),
    runtimes: async () => {
      const { runtimeFiles } = await import("./controller/runtimes/supply.js");
      return runtimeFiles({ named: options.runtimes });
    },
    ...(prompter ? { prompter } : {}),
    ...(signal ? { signal } : {}),
    ...(onNotice ? { onNotice } : {}),
    ...(onAudit ? { onAudit } : {}),
  };
}
