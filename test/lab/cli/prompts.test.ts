import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab } from "../../support/lab.js";
import { built } from "../../support/mop.js";
import { answering, hasTerminal } from "../../support/terminal.js";

describe.skipIf(!built || !hasTerminal)("questions on a terminal (needs util-linux's script)", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await createLab({ leaves: 1 });
  });
  afterAll(() => lab.close());

  test("-k asks for a password, which doesn't show", async () => {
    const { screen, status } = await answering("Login password:", "s3cr3t\r", ["ping", "-k", ...lab.options]);
    expect(status, screen).toBe(0);
    expect(screen).not.toContain("s3cr3t");
    expect(screen).toMatch(/ {2}l1 {2}b1 .* ms/);
  });

  test("Ctrl-C at the question is an interrupt, Ctrl-D is no password", async () => {
    const interrupted = await answering("Login password:", "\x03", ["ping", "-k", ...lab.options]);
    expect(interrupted.status, interrupted.screen).toBe(130);
    const ended = await answering("Login password:", "\x04", ["ping", "-k", ...lab.options]);
    expect(ended.status, ended.screen).toBe(1);
    expect(ended.screen).toContain("no password was given");
  });
});
