import { assert } from "../types/commands/assert.js";
import { command } from "../types/commands/command.js";
import { debugFacts } from "../types/commands/debug-facts.js";
import { git } from "../types/commands/git.js";
import { script } from "../types/commands/script.js";
import { waitFor } from "../types/commands/wait-for.js";

/** The part "commands": what only some roles run, ask or wait for. */
export const types = { command, script, git, waitFor, assert, debugFacts };
