import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatBytes, formatMs } from "../../../cli/output/bytes.js";
import { escapeLine, escapeLines, safeJson } from "../../../cli/output/escape.js";
import { HumanView } from "../../../cli/output/human.js";
import { createStyle, wantsColour } from "../../../cli/output/style.js";
import type { HostSummary, ResourceEvent } from "../../../engine/vocabulary/events.js";

const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

const changed = (host: string, name = "/etc/motd"): ResourceEvent => ({
  event: "resource",
  host,
  role: "web",
  type: "file",
  name,
  status: "changed",
  changes: ["content"],
  ms: 1,
});
const view = (options: Partial<ConstructorParameters<typeof HumanView>[0]> = {}) =>
  new HumanView({ style: createStyle(false), check: false, verbose: false, ...options });

describe("escaping", () => {
  it("leaves no control or bidi character in a line", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(escapeLine(text)).not.toMatch(UNSAFE);
        expect(escapeLine(text)).not.toContain("\n");
        for (const line of escapeLines(text)) expect(line).not.toMatch(UNSAFE);
      }),
    );
  });

  it("shows what CSI, OSC and right-to-left override would have done", () => {
    expect(escapeLine("a\x1b[31mb\u009dc\u202ed")).toBe("a\\x1b[31mb\\x9dc\\u202ed");
  });

  it("leaves none in JSON either, which says the same as before", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(safeJson({ text })).not.toMatch(UNSAFE);
        expect(JSON.parse(safeJson({ text }))).toEqual({ text });
      }),
    );
    expect(safeJson({ text: "a\u009b31m" })).toBe('{"text":"a\\u009b31m"}');
  });

  it("keeps printable text of any script as it is", () => {
    expect(escapeLine("Größe 東京 🚢")).toBe("Größe 東京 🚢");
  });
});

describe("units", () => {
  it("bytes are decimal, rounded once", () => {
    expect([0, 999, 1000, 99_950, 1_234_567].map(formatBytes)).toEqual([
      "0 B",
      "999 B",
      "1.0 kB",
      "100 kB",
      "1.2 MB",
    ]);
  });
  it("times change unit where they get hard to read", () => {
    expect([812, 12_345, 75_000].map(formatMs)).toEqual(["812 ms", "12.3 s", "1 min 15 s"]);
  });
});

describe("colour", () => {
  it("is used on a terminal only, and never with NO_COLOR", () => {
    expect(wantsColour({ isTTY: true }, {})).toBe(true);
    expect(wantsColour({ isTTY: true }, { NO_COLOR: "1" })).toBe(false);
    expect(wantsColour({}, {})).toBe(false);
  });
});

describe("human output", () => {
  it("tells a change at once when few hosts take part", () => {
    const human = view();
    human.expect(3);
    expect(human.event(changed("l1"))).toEqual(["role web", "  l1  changed  file /etc/motd (content)"]);
    expect(human.event(changed("l2"))).toEqual(["  l2  changed  file /etc/motd (content)"]);
  });

  it("tells equal changes of many hosts once, with their number", () => {
    const human = view();
    human.expect(300);
    const lines = Array.from({ length: 300 }, (_, i) => human.event(changed(`h${i}`))).flat();
    expect(lines).toEqual(["role web"]);
    const end = human.event({ event: "summary", hosts: {}, links: [], ms: 5 });
    expect(end[0]).toBe("  changed  file /etc/motd (content)  on h0, h1, h2, h3, h4, h5 and 294 more");
  });

  it("tells a failure at once however many hosts there are", () => {
    const human = view();
    human.expect(300);
    const lines = human.event({ ...changed("h7"), status: "failed", error: "disk full" });
    expect(lines.at(-1)).toBe("  h7  failed  file /etc/motd: disk full");
  });

  const failed = (host: string, error = "disk full"): ResourceEvent => ({
    ...changed(host),
    status: "failed",
    changes: [],
    error,
  });
  const summary = (hosts: Record<string, HostSummary>) =>
    ({ event: "summary", hosts, links: [], ms: 5 }) as const;
  const counts = { ok: 1, changed: 0, failed: 0, skipped: 0, unreachable: false };

  it("tells the same failure of 300 hosts in a few lines, and names each host that failed", () => {
    const human = view();
    human.expect(300);
    const hosts = Array.from({ length: 300 }, (_, i) => `h${i}`);
    const lines = hosts.flatMap((host) => [
      ...human.event(failed(host)),
      ...human.event({
        event: "role",
        host,
        role: "web",
        status: "failed",
        error: "file /etc/motd: disk full (policy.ts:3:7)",
      }),
    ]);
    expect(lines).toEqual([
      "role web",
      "  h0  failed  file /etc/motd: disk full",
      "  h0  stopped  at policy.ts:3:7",
    ]);
    const end = human.event(
      summary(Object.fromEntries(hosts.map((host) => [host, { ...counts, failed: 1 }]))),
    );
    expect(end.length).toBeLessThan(8);
    expect(end[0]).toBe("  failed  file /etc/motd: disk full  also on h1, h2, h3, h4, h5, h6 and 293 more");
    for (const host of hosts) expect(end.at(-2)).toMatch(new RegExp(`\\b${host}\\b`));
  });

  it("tells the links to 300 leaves as one, and each that leads on", () => {
    const human = view();
    human.expect(300);
    const link = (from: string, to: string) => ({ from, to, sent: 1000, received: 10 });
    const leaves = Array.from({ length: 300 }, (_, i) => link("b2", `h${i}`));
    const links = [link("controller", "b1"), link("b1", "b2"), ...leaves, link("b1", "h300")];
    expect(human.event({ ...summary({}), links }).slice(1, -1)).toEqual([
      "  controller > b1: 1.0 kB sent, 10 B received",
      "  b1 > b2: 1.0 kB sent, 10 B received",
      "  b2 > 300 hosts: 300 kB sent, 3.0 kB received",
      "  b1 > h300: 1.0 kB sent, 10 B received",
    ]);
  });

  it("tells another failure at once, though the first was told", () => {
    const human = view();
    human.expect(300);
    human.event(failed("h0"));
    expect(human.event(failed("h1", "quota"))).toEqual(["  h1  failed  file /etc/motd: quota"]);
  });

  it("tells once that 300 hosts are lost behind one bastion, and what 300 hosts say alike", () => {
    const human = view();
    human.expect(300);
    const lost = (host: string) =>
      human.event({
        event: "host",
        host,
        state: "unreachable",
        at: "b1",
        code: "LINK_LOST",
        reason: "no answer",
      });
    expect(["h0", "h1", "h2"].flatMap(lost)).toEqual(["  h0  unreachable at b1  no answer"]);
    const say = (host: string) =>
      human.event({ event: "output", host, role: "web", stream: "stdout", text: "ready\n" });
    expect(say("h3")).toEqual(["  unreachable at b1  no answer  also on h1, h2", "role web", "  h3 | ready"]);
    expect(say("h4")).toEqual([]);
    expect(human.event(summary({}))[0]).toBe("  | ready  also on h4");
  });

  it("tells what a command said on each host, alike or not", () => {
    const human = view({ roles: false });
    human.expect(300);
    const say = (host: string) => human.event({ event: "output", host, stream: "stdout", text: "ready\n" });
    expect(["h0", "h1"].flatMap(say)).toEqual(["  h0 | ready", "  h1 | ready"]);
    expect(
      human.event({ event: "role", host: "h0", role: "run", status: "failed", error: "status 1" }),
    ).toEqual(["  h0  stopped  status 1"]);
  });

  it("names a host once a line", () => {
    const lost = {
      event: "host",
      host: "l1",
      state: "unreachable",
      code: "LINK_LOST",
      reason: "b1: no answer",
    } as const;
    expect(view().event({ ...lost, at: "b1" })).toEqual(["  l1  unreachable at b1  no answer"]);
    const end = { event: "role", host: "l1", role: "web", status: "failed" } as const;
    expect(
      view()
        .event({ ...end, error: "l1: the link was lost" })
        .at(-1),
    ).toBe("  l1  stopped  the link was lost");
  });

  it("puts the role's name over what the role says first", () => {
    const lines = view().event({ event: "output", host: "l1", role: "web", stream: "stdout", text: "hi\n" });
    expect(lines).toEqual(["role web", "  l1 | hi"]);
  });

  it("tells a host's unfinished line before what comes next from that host", () => {
    const human = view();
    human.event({ event: "output", host: "l1", role: "web", stream: "stdout", text: "half" });
    expect(human.event(changed("l2"))).toEqual(["  l2  changed  file /etc/motd (content)"]);
    expect(human.event(changed("l1"))).toEqual(["  l1 | half", "  l1  changed  file /etc/motd (content)"]);
  });

  it("doesn't say failed of a failure that was ignored", () => {
    const human = view();
    expect(human.event({ ...failed("l1"), ignored: true })).toEqual([
      "role web",
      "  l1  ignored  file /etc/motd: disk full",
    ]);
    expect(human.event(summary({ l1: { ...counts, ignored: 1 } }))).toContain(
      "  l1  1 ok  0 changed  0 failed  0 skipped  1 ignored",
    );
  });

  it("says why a role stopped where that was not its last failure", () => {
    const human = view();
    human.event(failed("l1"));
    const end = { event: "role", host: "l1", role: "web", status: "failed" } as const;
    expect(human.event({ ...end, error: "boom (policy.ts:9:1)" })).toEqual([
      "  l1  stopped  boom (policy.ts:9:1)",
    ]);
  });

  it("says under --check that it would change", () => {
    expect(view({ check: true }).event(changed("l1"))[1]).toContain("would change");
  });

  it("names an unreachable host once, and where it ended when that is another", () => {
    const lost = (at: string, reason: string) =>
      view().event({ event: "host", host: "l1", state: "unreachable", at, code: "LINK_LOST", reason });
    expect(lost("l1", "l1: no Node found there")).toEqual(["  l1  unreachable  no Node found there"]);
    expect(lost("b2", "b1 can't connect")).toEqual(["  l1  unreachable at b2  b1 can't connect"]);
  });

  it("tells a failed resource once, and where in the policy the role stopped of it", () => {
    const human = view();
    human.event({ ...changed("l1"), status: "failed", error: "disk full" });
    const stopped = (host: string, error: string) =>
      human.event({ event: "role", host, role: "web", status: "failed", error });
    expect(stopped("l1", "file /etc/motd: disk full (policy.ts:3:11)")).toEqual([
      "  l1  stopped  at policy.ts:3:11",
    ]);
    expect(stopped("l2", "boo (policy.ts:3:11)")).toEqual(["  l2  stopped  boo (policy.ts:3:11)"]);
  });

  it("counts what a host did before it was lost", () => {
    const none = { ok: 0, changed: 0, failed: 0, skipped: 0, unreachable: true };
    const lines = view().event({
      event: "summary",
      hosts: { l1: none, l2: { ...none, changed: 2 } },
      links: [],
      ms: 5,
    });
    expect(lines).toContain("  l1  unreachable");
    expect(lines).toContain("  l2  0 ok  2 changed  0 failed  0 skipped  unreachable");
  });

  it("puts a host's output together line by line and loses no unfinished one", () => {
    const human = view();
    const out = (text: string) => human.event({ event: "output", host: "l1", stream: "stdout", text });
    expect(out("one\ntw")).toEqual(["  l1 | one"]);
    expect(out("o\nthree")).toEqual(["  l1 | two"]);
    expect(human.event({ event: "summary", hosts: {}, links: [], ms: 5 })).toContain("  l1 | three");
  });

  it("never passes a host's control characters on", () => {
    const human = view();
    const lines = [
      ...human.event({ ...changed("evil\x1b[2J"), name: "x\x07" }),
      ...human.event({
        event: "host",
        host: "l\u202e1",
        state: "unreachable",
        at: "b\x1b",
        code: "LINK_LOST",
        reason: "\x1b]0;x\x07",
      }),
    ];
    for (const line of lines) expect(line).not.toMatch(UNSAFE);
  });
});
