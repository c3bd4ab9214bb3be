import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import type {
  DiagnosisEvent,
  DoctorEvent,
  FindingEvent,
} from "../../../engine/controller/run/doctor/findings.js";
import { createLab, type Lab, type LabOptions } from "../../support/lab.js";
import { built, mop } from "../../support/mop.js";

describe.skipIf(!built)("mop doctor", () => {
  let lab: Lab;
  afterEach(() => lab.close());

  const doctor = async (options: LabOptions, more: readonly string[] = [], strike?: () => Promise<void>) => {
    lab = await createLab({ leaves: 1, ...options });
    await strike?.();
    const run = await mop(["doctor", "l1", ...lab.options, "-o", "json", "--connect-timeout", "15", ...more]);
    const events = run.stdout
      .trim()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as DoctorEvent);
    const findings = events.filter((event): event is FindingEvent => event.event === "finding");
    const diagnosis = events.at(-1) as DiagnosisEvent;
    expect(diagnosis?.event, run.stderr).toBe("diagnosis");
    const text = (hop: string, check: string) =>
      findings.filter((one) => one.hop === hop && one.check === check).map((one) => one.text);
    return { run, findings, diagnosis, text };
  };

  test("tells of every hop what a login meets, and that all is well", async () => {
    const { run, findings, diagnosis, text } = await doctor({});
    expect(diagnosis).toMatchObject({
      host: "l1",
      route: ["b1", "b2", "l1"],
      status: "ok",
      text: "all is well: l1 can be pushed to as deploy",
    });
    expect(run.status, run.stderr).toBe(0);
    expect(findings.filter(({ status }) => status !== "ok")).toEqual([]);
    for (const hop of ["b1", "b2", "l1"]) {
      expect(text(hop, "identification")[0]).toMatch(/^SSH-2\.0-/);
      expect(text(hop, "algorithms")[0]).toMatch(/curve25519.*, ssh-ed25519, aes/);
      expect(text(hop, "host key")[0]).toMatch(/^SHA256:.*, known from .*known_hosts, line \d$/);
      expect(text(hop, "login")).toEqual([
        "the server takes publickey",
        expect.stringMatching(/^deploy by key .*id_ed25519: accepted$/),
      ]);
      expect(text(hop, "shell")).toEqual(["says nothing by itself"]);
      expect(text(hop, "node")[0]).toMatch(
        new RegExp(`^${process.version} for ${process.platform} .* in /.*, as `),
      );
      expect(text(hop, "clock")).toEqual(["its clock agrees with this machine's"]);
      expect(text(hop, "disk").length).toBeGreaterThan(0);
      expect(text(hop, "link")[0]).toMatch(/^round trip \d+\.\d ms from /);
    }
    expect(text("b1", "tcp")[0]).toMatch(/ answers in \d+\.\d ms$/);
    expect(text("l1", "tcp")[0]).toMatch(/^the hop before it reaches /);
    // Once each: what is looked at needs no login of its own
    for (const host of lab.hosts.values()) expect(host.logins, host.name).toBe(1);
  });

  test("tells round trip and throughput of a slow link, and what a shell says by itself", async () => {
    const options = { bastions: 1, delayMs: 40, bytesPerSecond: 200_000 };
    const { text } = await doctor({ ...options, hosts: { l1: { noise: "Welcome to l1\n" } } });
    const [, ms, rate] =
      /^round trip ([\d.]+) ms from controller, about (\d+) kB\/s/.exec(text("b1", "link")[0] ?? "") ?? [];
    expect(Number(ms)).toBeGreaterThan(79);
    // Of 64 kB: what waits in buffers when the clock starts makes it look faster, but in less than 200 ms it is not believed
    expect(Number(rate)).toBeGreaterThan(20);
    expect(Number(rate)).toBeLessThanOrEqual(64 / 0.2);
    expect(text("l1", "shell")).toEqual(["says by itself: Welcome to l1"]);
    expect(text("b1", "shell")).toEqual(["says nothing by itself"]);
  });

  test.each([
    [
      "a changed host key, with file and line",
      { l1: { knownAs: "another" } },
      "host key",
      /host key has changed.*known_hosts, line 3 has another/,
    ],
    [
      "an unknown host key",
      { l1: { knownAs: "unknown" } },
      "host key",
      /host key is unknown.*--host-keys accept-new/,
    ],
    ["a refused key", { l1: { acceptsKey: false } }, "login", /refused the login of deploy.*authorize a key/],
    ["a missing Node", { l1: { path: "" } }, "node", /Node/],
  ] as const)(
    "ends at %s in the sentence that says what to change",
    async (_name, hosts, check, sentence) => {
      const { run, findings, diagnosis, text } = await doctor({ hosts });
      expect(run.status).toBe(4);
      expect(diagnosis.status).toBe("failed");
      expect(diagnosis.text).toMatch(sentence);
      expect(findings.at(-1)).toMatchObject({ hop: "l1", check, status: "failed" });
      expect(findings.filter(({ status }) => status === "failed")).toHaveLength(1);
      // What lies before it was looked at all the same
      for (const hop of ["b1", "b2"]) expect(text(hop, "link")).toHaveLength(1);
    },
  );

  test("names each key that was refused and what else the server would take", async () => {
    const { text } = await doctor({ hosts: { b2: { acceptsKey: false, password: "s3cret" } } });
    expect(text("b2", "login")).toEqual([
      "the server takes publickey, password",
      expect.stringMatching(/^deploy by key .*id_ed25519: refused$/),
      expect.stringMatching(/refused the login/),
    ]);
    expect(text("l1", "identification")).toEqual([]);
  });

  test("ends at a bastion that nothing listens on", async () => {
    const { run, diagnosis, findings } = await doctor({ bastions: 1 }, [], () => lab.link.close());
    expect(run.status).toBe(4);
    expect(findings.at(-1)).toMatchObject({ hop: "b1", check: "tcp", status: "failed" });
    expect(diagnosis.text).toMatch(/^b1: can't connect to .*connection refused/);
  });

  test("starts nothing on a jump, and needs no inventory", async () => {
    const { text, diagnosis } = await doctor({ bastions: 1, hosts: { b1: { vars: { mop_hop: "jump" } } } });
    expect(diagnosis.status).toBe("ok");
    expect(text("b1", "node")).toEqual([]);
    expect(text("b1", "shell")).toEqual([]);
    expect(text("l1", "node")).toHaveLength(1);
    const { address, port } = lab.host("l1");
    const config = lab.options[lab.options.indexOf("-F") + 1]!;
    writeFileSync(
      config,
      `Host alone\n  HostName ${address}\n  Port ${port}\n  User deploy\n  IdentityFile ${lab.identityFile}\n`,
    );
    const run = await mop(["doctor", "alone", "-F", config, "--known-hosts", lab.knownHostsFile], {
      cwd: `${lab.folder}/hosts`,
    });
    expect(run.stdout, run.stderr).toMatch(/\nall is well: alone can be pushed to as deploy\n$/);
    expect(readFileSync(lab.knownHostsFile, "utf8").split("\n")).toHaveLength(3);
  });
});
