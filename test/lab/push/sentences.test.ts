import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab, type LabHostOptions } from "../../support/lab.js";
import { built, type MopRun, mop } from "../../support/mop.js";
import { type PolicyFolder, policyFolder, rolePolicy } from "../../support/policies.js";

/** Each leaf behind the bastions is out of order in its own way; l1 is not. */
const HOSTS: Readonly<Record<string, LabHostOptions>> = {
  l2: { knownAs: "another" },
  l3: { knownAs: "unknown" },
  l4: { acceptsKey: false },
  l5: { vars: { mop_host: "no-such-host.invalid" } },
  l6: { vars: { mop_node: "/nowhere/node" } },
  l7: { vars: { mop_port: 1 } },
  l8: {},
};

/** What a person reads: the host, what happened, and the way out. */
const SENTENCES: Readonly<Record<string, RegExp>> = {
  l2: /the host key has changed: .*SHA256:\S+, but \S+known_hosts, line \d+ has another; .*ssh-keygen -R '\[.*\]:\d+' -f '\S+known_hosts'$/,
  l3: /the host key is unknown: .*SHA256:\S+ is in none of \S+known_hosts; .*add the line ".*", have it added by mop trust, or .*--host-keys accept-new$/,
  l4: /l4 refused the login of deploy \(tried \S+id_ed25519; the server takes publickey\); authorize a key .*--identity$/,
  l5: /b2 can't connect to no-such-host\.invalid:\d+: .*\(mop_host sets the name or address that b2 knows it by\)$/,
  l6: /no Node found there; tried "\/nowhere\/node" \(mop_node sets the path, or is "push" to bring one\)$/,
  l7: /b2 can't connect to \S+:1: the connection was refused \(mop_host and mop_port set where it listens\)$/,
};

/** Text that no operator should meet. */
const INNARDS = /^\s+at |node:internal|MopError|PolicyError|\[object|undefined$|NaN/m;

describe.skipIf(!built)("what a person reads", () => {
  let lab: Lab;
  let policy: PolicyFolder;
  let run: MopRun;
  beforeAll(async () => {
    policy = policyFolder(
      rolePolicy(`
    await file(\`\${vars.root}/done\`, { content: "yes" });
    if (host.name === "l8") await file(\`\${vars.root}/conf\`, { template: "conf.j2" });
`),
      { "conf.j2": "# conf\nport = {{ port }}\n" },
    );
    lab = await createLab({ leaves: 8, hosts: HOSTS });
    run = await mop(["push", policy.policy, ...lab.options]);
  });
  afterAll(async () => {
    policy?.remove();
    await lab?.close();
  });
  const usage = async (...args: string[]) => {
    const { status, stdout, stderr } = await mop(["push", policy.policy, ...lab.options, ...args]);
    expect(stdout).toBe("");
    expect(status).toBe(1);
    return stderr;
  };

  for (const [host, sentence] of Object.entries(SENTENCES))
    test(`of ${host} is one line that names what is wrong and the way out`, () => {
      const lines = run.stdout.split("\n").filter((line) => line.startsWith(`  ${host} `));
      expect(lines).toEqual([
        expect.stringMatching(sentence),
        expect.stringMatching(new RegExp(`^  ${host} +unreachable$`)),
      ]);
      // The host in front is not named a second time by its reason
      expect(lines[0]).not.toMatch(/: l\d: /);
    });

  test("of an undefined variable is its name, template and line, and where the role stopped", () => {
    const lines = run.stdout.split("\n").filter((line) => line.startsWith("  l8 "));
    expect(lines[1]).toMatch(/failed {2}file \S+\/conf: "port" is undefined \(conf\.j2, line 2\)$/);
    expect(lines[2]).toMatch(/stopped {2}at \S*policy\.ts:\d+:\d+$/);
    expect(lines[3]).toMatch(/0 ok {2}1 changed {2}1 failed/);
  });

  test("shows the work of the host that is in order, ends with status 2, and has nothing of our insides", () => {
    expect(run.stdout).toMatch(/^ {2}l1 +0 ok {2}1 changed {2}0 failed/m);
    expect(run.status).toBe(2);
    expect(run.stdout + run.stderr).not.toMatch(INNARDS);
    expect(run.stderr).toBe("");
  });

  test("of the command line is one line with the option, and what it takes", async () => {
    expect(await usage("--chekc")).toBe(
      "mop: unknown option '--chekc' (did you mean --check?); --help tells all options\n",
    );
    expect(await usage("-o", "xml")).toMatch(
      /^mop: option '-o, .*' argument 'xml' is invalid; .*human, json.*\n$/,
    );
    expect(await usage("--identity", "/nowhere/key")).toBe("mop: --identity: /nowhere/key does not exist\n");
    expect(await usage("--limit-hosts", "l77")).toMatch(/^mop: --limit-hosts: "l77" fits no host of \S+\n$/);
    expect(await usage("-e", "@/nowhere.json")).toMatch(/^mop: \/nowhere\.json: .*--extra-vars.*\n$/);
    expect(await usage("--via", "b9:x")).toMatch(/^mop: --via: "b9:x" .*\[user@\]host\[:port\]\n$/);
  });

  test("of a first bastion that is not there is no crash", async () => {
    await lab.link.close();
    const { status, stdout, stderr } = await mop([
      ...["push", policy.policy, ...lab.options],
      ...["--limit-hosts", "l1"],
    ]);
    expect(stdout).toMatch(
      /^ {2}l1 {2}unreachable at b1 {2}can't connect to 127\.0\.0\.1:\d+: nothing listens there/m,
    );
    expect(stderr).toBe("");
    expect(status).toBe(4);
  });
});
