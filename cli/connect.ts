import { existsSync, statSync } from "node:fs";
import { PolicyError } from "../engine/controller/policy-error.js";
import { askingMesh } from "../engine/controller/route/asking-mesh.js";
import { openSshLookup } from "../engine/controller/route/ssh-config.js";
import { operatorName, runId } from "../engine/controller/run/leaf-log.js";
import { exitStatus, type TargetOptions } from "../engine/controller/run/options.js";
import { runtimeFiles, type Supplied, supplied } from "../engine/controller/runtimes/supply.js";
import { createMesh } from "../relay/mesh/create.js";
import type { DialingMesh, MeshOptions } from "../relay/mesh/types.js";
import { openAudit } from "./audit.js";
import { INTERRUPTED } from "./interrupt.js";
import type { ConnectionFlags } from "./options.js";
import { escapeLine } from "./output/escape.js";
import type { View } from "./output/view.js";
import { askSecret, type TerminalPrompter, terminalPrompter } from "./prompter.js";
import { createStop, type Stop } from "./stop.js";
import { warnUnchecked } from "./unchecked.js";

/** What the command line says of targets and logins, for the engine. Asks for passwords where it was told to. */
export async function targetOptions(
  flags: ConnectionFlags,
  { note }: Pick<View, "note">,
  signal?: AbortSignal,
): Promise<TargetOptions & { readonly signal?: AbortSignal }> {
  const { identity } = flags;
  // A key of the inventory or of ssh_config may be missing, as with ssh; one that was asked for may not
  if (identity !== undefined && !identity.startsWith("~/") && !existsSync(identity))
    throw new PolicyError(`--identity: ${identity} does not exist`);
  const password = flags.askPass
    ? await askPassword("Login password: ", "--ask-pass")
    : flags.defaultPassword;
  return {
    inventory: flags.inventory,
    limitHosts: flags.limitHosts,
    limitGroups: flags.limitGroups,
    become: {
      become: flags.become === true || undefined,
      becomeUser: flags.becomeUser,
      becomeMethod: flags.becomeMethod,
      becomePassword: flags.askBecomePass
        ? await askPassword("Password to become another user: ", "--ask-become-pass")
        : flags.defaultBecomePassword,
    },
    closes: true,
    onWarning: (text) => note(escapeLine(text)),
    ...(signal ? { signal } : {}),
    routes: {
      via: words(flags.via),
      user: flags.user,
      identity,
      defaultIdentity: flags.defaultIdentity,
      knownHosts: flags.knownHosts,
      hostKeys: flags.hostKeys,
      hop: flags.hop,
      connectTimeoutMs: flags.connectTimeout === undefined ? undefined : flags.connectTimeout * 1000,
      password,
      sshConfig: openSshLookup({ file: flags.sshConfig }),
    },
  };
}

/** What a connecting command works with; everything is released when it ends. */
export interface Connection {
  readonly mesh: DialingMesh;
  readonly stop: Stop;
  /** The run's id, as titles of processes on the way and leaves' logs have it */
  readonly run: string;
}

/**
 * Opens a mesh, runs `work` over it, ends every node and gives the exit status of interface.md. The run's own faults
 * (PolicyError) pass through.
 */
export async function withMesh(
  flags: ConnectionFlags,
  view: View,
  work: (connection: Connection) => Promise<Parameters<typeof exitStatus>[0]>,
  open?: (options: MeshOptions) => DialingMesh,
): Promise<number> {
  const stop = createStop(flags.timeout, view.note);
  const prompter = terminalPrompter();
  const run = runId();
  const operator = operatorName();
  const audit = openAudit(flags.audit, { run, operator }, view.note);
  const options: MeshOptions = {
    pace: flags.pace ?? "eager",
    run,
    operator,
    ...(audit.write ? { onAudit: audit.write } : {}),
    ...(prompter ? { prompter } : {}),
    runtimes: () => runtimeFiles({ named: flags.runtimes }),
    onNotice: (host, text) => {
      if (flags.verbose) view.note(`${escapeLine(host)}: ${escapeLine(text)}`);
    },
  };
  const growing = open ? open(options) : askWhereNoNode(createMesh(options), prompter, flags);
  const mesh = warnUnchecked(growing, view.note);
  try {
    const result = await work({ mesh, stop, run });
    return exitStatus(stop.late ? { ...result, interrupted: false } : result);
  } catch (error) {
    // Who interrupts gets no complaint of what could not be finished.
    if (stop.signal.aborted && !stop.late) return INTERRUPTED;
    throw error;
  } finally {
    await mesh.close();
    await audit.close();
    stop.release();
  }
}

/** At a terminal hosts without Node may be brought one, where the operator says so. */
function askWhereNoNode(
  mesh: DialingMesh,
  prompter: TerminalPrompter | undefined,
  { runtimes }: ConnectionFlags,
): DialingMesh {
  if (!prompter) return mesh;
  return askingMesh(mesh, async (hosts) => {
    const question = bringQuestion(hosts, await supplied({ named: runtimes }));
    return question !== undefined && prompter.yes(question);
  });
}

/** Undefined where nothing could be brought. */
export function bringQuestion(hosts: readonly string[], from: readonly Supplied[]): string | undefined {
  if (from.length === 0) return undefined;
  const names = hosts.map(escapeLine);
  const which =
    names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)} have` : `${names[0]} has`;
  const sizes = from.map(({ platform, file }) => `${platform} ${Math.round(statSync(file).size / 1e6)} MB`);
  return (
    `${which} no Node 16 or newer. Bring one there, and to others without it in this run? It is kept in ` +
    `~/.cache/mop/runtime (${sizes.join(", ")}); mop_node = "push" allows it without asking. [y/N] `
  );
}

/** "b1, b2,": its words; undefined stays it. */
function words(text: string | undefined): string[] | undefined {
  return text
    ?.split(",")
    .map((word) => word.trim())
    .filter(Boolean);
}

async function askPassword(question: string, option: string): Promise<string> {
  if (!process.stdin.isTTY) throw new PolicyError(`${option} asks on a terminal, and there is none`);
  const answer = await askSecret(question);
  if (answer === undefined) throw new PolicyError(`${option}: no password was given`);
  return answer;
}
