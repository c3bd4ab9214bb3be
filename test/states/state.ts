import type { TypeName } from "../unit/leaf/resources/stage.js";

/**
 * A state of a host and a resource that is asked of it: what check says there, what apply then does, and what stands
 * afterwards. "{here}" in texts stands for a folder of the state's own, other words in braces for what the player has
 * for them.
 */
export interface State {
  readonly claim: string;
  readonly type: TypeName;
  /** Shell lines that bring the state about, run in its folder */
  readonly prepare?: string;
  readonly name: string | readonly string[];
  readonly options?: Readonly<Record<string, unknown>>;
  /** What it does; [] for nothing. Or `error`: what the sentence of its refusal contains. */
  readonly changes?: readonly string[];
  readonly error?: string;
  /** What the diff contains */
  readonly diff?: string;
  /** What it tells the operator, under --check too; [] for nothing */
  readonly says?: readonly string[];
  /** Shell lines that all succeed once it was applied */
  readonly stands?: string;
  /** Done each time that it is asked for: the second apply does the same again */
  readonly each?: true;
  /** Shell lines that all succeed once it was applied again */
  readonly standsAgain?: string;
  /** By its own word it changes nothing, so check skips what apply runs (interface.md, section 4) */
  readonly skipped?: true;
  /** Files of the policy's folder */
  readonly offered?: Readonly<Record<string, string | Uint8Array>>;
  /** Folders among them that came as a whole */
  readonly trees?: readonly string[];
}

/** A state as a table of one type has it. */
export type Draft = Omit<State, "type">;
/** One that its table names where it has no name itself. */
export type NamelessDraft = Omit<Draft, "name"> & Partial<Pick<Draft, "name">>;

export const statesOf = (type: TypeName, drafts: readonly Draft[]): State[] =>
  drafts.map((draft) => ({ type, ...draft }));

/** States of one kind, which are played one after another on one machine. */
export interface StateTable {
  /** Shell lines for all of them, run once */
  readonly prepare?: string;
  /** A shell command that prints, as a JSON object, what else words in braces stand for; run once, behind `prepare` */
  readonly words?: string;
  readonly states: readonly State[];
  /** Folders in which neither a check nor a second apply may touch anything; a state's own is always one of them */
  readonly untouched?: readonly string[];
  /** A shell command that prints what else of the machine may not change then */
  readonly watch?: string;
}
