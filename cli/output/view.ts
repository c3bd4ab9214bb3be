import { withoutSecrets } from "../../engine/controller/secrets/known-secrets.js";
import type { RunEvent } from "../../engine/vocabulary/events.js";
import { safeJson } from "./escape.js";
import { HumanView } from "./human.js";
import { createStyle, wantsColour } from "./style.js";

/** Where a run's events go. */
export interface View {
  /** How many hosts take part */
  expect(hosts: number): void;
  report(event: RunEvent): void;
  /** Something in passing, for people only; safe text of one line */
  note(text: string): void;
}

export interface ViewOptions {
  readonly output: "human" | "json";
  readonly check?: boolean | undefined;
  readonly verbose?: boolean | undefined;
  /** False where no role of a policy runs */
  readonly roles?: boolean;
}

/** `print` writes to stdout; notes go to stderr. */
export function createView(options: ViewOptions, print: (text: string) => void): View {
  const note = (text: string) => void process.stderr.write(`mop: ${withoutSecrets(text)}\n`);
  if (options.output === "json")
    return {
      expect: () => {},
      report: (event) => print(`${safeJson(event)}\n`),
      note,
    };
  const human = new HumanView({
    style: createStyle(wantsColour(process.stdout, process.env)),
    check: options.check ?? false,
    verbose: options.verbose ?? false,
    roles: options.roles ?? true,
  });
  return {
    expect: (hosts) => human.expect(hosts),
    report(event) {
      const lines = human.event(event);
      if (lines.length > 0) print(`${lines.join("\n")}\n`);
    },
    note,
  };
}
