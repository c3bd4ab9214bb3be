import type { Provider, TypeContext } from "../../type.js";

/** How a service stands. */
export interface ServiceState {
  readonly exists: boolean;
  readonly running: boolean;
  /** undefined: it can be neither (a static unit of systemd) */
  readonly enabled: boolean | undefined;
  readonly masked?: boolean;
  /** systemd has not read its unit files since they were changed */
  readonly stale?: boolean;
  /** It does its work and ends: not running after its start is no failure */
  readonly passing?: boolean;
  /** Why it failed, where the manager says so */
  readonly trouble?: string;
  /** What can't be done to it, and why */
  readonly bars?: Partial<Readonly<Record<Deed, string>>>;
}

export const ABSENT: ServiceState = { exists: false, running: false, enabled: false };

/** In the order in which they are carried out. */
export const DEEDS = [
  "daemonReload",
  "unmask",
  "disable",
  "stop",
  "mask",
  "enable",
  "start",
  "restart",
  "reload",
] as const;
export type Deed = (typeof DEEDS)[number];

export interface ServiceProvider extends Provider {
  look(context: TypeContext, name: string): Promise<ServiceState>;
  /** What it can do */
  readonly deeds: readonly Deed[];
  /** Throws a Refusal for what it can't do without doing more than was asked */
  mustFit?(
    deeds: readonly Deed[],
    state: ServiceState,
    context: TypeContext,
    name: string,
  ): void | Promise<void>;
  /** `all`: what is done beside it, since some managers do two of them at once */
  act(context: TypeContext, deed: Deed, name: string, all: readonly Deed[]): Promise<void>;
}
