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
}

/** `write` takes whole lines for stdout, `note` lines for stderr. */
export function createView(options: ViewOptions, stdout: NodeJS.WriteStream = process.stdout): View {
  const note = (text: string) => void process.stderr.write(`mop: ${text}\n`);
  // A reader that went away (`mop ... | head`) has seen what it wanted.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  if (options.output === "json")
    return {
      expect: () => {},
      report: (event) => void stdout.write(`${safeJson(event)}\n`),
      note,
    };
  const human = new HumanView({
    style: createStyle(wantsColour(stdout, process.env)),
    check: options.check ?? false,
    verbose: options.verbose ?? false,
  });
  return {
    expect: (hosts) => human.expect(hosts),
    report(event) {
      const lines = human.event(event);
      if (lines.length > 0) stdout.write(`${lines.join("\n")}\n`);
    },
    note,
  };
}
