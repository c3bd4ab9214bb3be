import { describe, expect, test } from "vitest";
import { TYPE_PARTS, WING_TYPES } from "../../../engine/vocabulary/parts.js";
import type { State } from "../../states/state.js";
import { GROUPS, USERS } from "../../states/tables/accounts.js";
import { COMMAND_STATES } from "../../states/tables/commands.js";
import { HOSTS, TABLES } from "../../states/tables/containers.js";
import { FETCHES } from "../../states/tables/fetches.js";
import { FILES } from "../../states/tables/files.js";
import { REBOOTS } from "../../states/tables/reboots.js";
import { CASES } from "./resources/cases.js";
import { AUTHORIZED_KEYS } from "./types/accounts/authorized-key-cases.js";
import { KNOWN_HOSTS } from "./types/accounts/known-host-cases.js";

/** States that are prepared for real, checked, applied and applied again, and those among them that are refused. */
const counts = new Map<string, { all: number; refused: number }>();
const add = (type: string, states: readonly { readonly error?: string }[]) => {
  const before = counts.get(type) ?? { all: 0, refused: 0 };
  const refused = states.filter(({ error }) => error !== undefined).length;
  counts.set(type, { all: before.all + states.length, refused: before.refused + refused });
};
const addEach = (states: readonly (Pick<State, "type"> & { readonly error?: string })[]) => {
  for (const state of states) add(state.type, [state]);
};
addEach([...FILES.states, ...COMMAND_STATES.states]);
for (const name of HOSTS.flatMap(([, tables]) => tables)) addEach(TABLES[name]!.states);
addEach(CASES);
add("fetch", FETCHES);
add("reboot", REBOOTS);
add("authorizedKey", AUTHORIZED_KEYS);
add("knownHost", KNOWN_HOSTS);
add(
  "user",
  Object.values(USERS).map(() => ({})),
);
add(
  "group",
  Object.values(GROUPS).map(() => ({})),
);

describe("issue 3, acceptance 3", () => {
  const types = [...WING_TYPES, ...Object.values(TYPE_PARTS).flat()];
  test.each(types)("%s has 20 prepared states at least, most of which are not refused", (type) => {
    const { all, refused } = counts.get(type) ?? { all: 0, refused: 0 };
    expect(all).toBeGreaterThanOrEqual(20);
    expect(all - refused).toBeGreaterThanOrEqual(10);
  });

  test("no state is of a type that does not exist, and every table of the containers has a host", () => {
    expect([...counts.keys()].filter((type) => !(types as readonly string[]).includes(type))).toEqual([]);
    expect(HOSTS.flatMap(([, tables]) => tables).sort()).toEqual(Object.keys(TABLES).sort());
  });
});
