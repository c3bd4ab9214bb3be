import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { typeCheck } from "../../../engine/controller/policy/type-check.js";
import { CONNECTION_VARS } from "../../../engine/controller/route/connection-vars.js";
import { PRESETS } from "../../../engine/controller/route/presets.js";
import type { CleanEvent } from "../../../engine/controller/run/clean-runtimes.js";
import { describeInventory } from "../../../engine/controller/run/describe-inventory.js";
import type { TrustEvent } from "../../../engine/controller/run/trust-hosts.js";
import { validate } from "../../../engine/controller/run/validate.js";
import type { KeptRuntime } from "../../../engine/controller/runtimes/store.js";
import type { Supplied } from "../../../engine/controller/runtimes/supply.js";
import { gatherFacts } from "../../../engine/leaf/facts/gather.js";
import { COMMON_RULES } from "../../../engine/leaf/options.js";
import { TYPES } from "../../../engine/leaf/types/table.js";
import type { StoppedEvent } from "../../../engine/vocabulary/events.js";
import { TYPE_PARTS } from "../../../engine/vocabulary/parts.js";
import { HOP_KINDS } from "../../../relay/mesh/types.js";
import { testPackage } from "./scripted.js";
import { tempFolder } from "./temp-folder.js";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const built = existsSync(path.join(ROOT, "dist/bundles/leaf.js"));

const DOCUMENTS = [
  ...readdirSync(path.join(ROOT, "docs")).map((name) => `docs/${name}`),
  ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples/README.md"],
];
const read = (document: string) => readFileSync(path.join(ROOT, document), "utf8");

/** The blocks of a language in a document. */
const blocks = (document: string, language: string): string[] =>
  [...read(document).matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(
    ([, code]) => code!,
  );

function example(document: string, language = "ts"): string {
  const [code] = blocks(document, language);
  if (code === undefined) throw new Error(`${document} has no example`);
  return code;
}

/** This machine as the host that examples call l1. */
const LOCAL = `[groups.web.hosts]\nl1 = { mop_hop = "local" }\n`;

/** JSON lines of the program, whatever its status. */
async function events(args: readonly string[], cwd: string): Promise<{ readonly event: string }[]> {
  const main = path.join(ROOT, "dist/cli/main.js");
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...args], {
    cwd,
    // A home of its own: neither defaults nor logs of whoever runs the tests
    env: { ...process.env, HOME: cwd },
  }).catch((error: { stdout: string }) => error);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("the documents' examples", () => {
  // Those of the manual have tests of their own: test/unit/tools/manual-examples.test.ts.
  const others = DOCUMENTS.filter((name) => name !== "docs/resources.md");
  it.each(others.filter((name) => blocks(name, "ts").length > 0))(
    "in %s have the right types",
    async (name) => {
      for (const code of blocks(name, "ts")) {
        const folder = await tempFolder({ "example.ts": code });
        const file = path.join(folder, "example.ts");
        await typeCheck({ file, folder, sources: [file] }, await testPackage());
      }
    },
  );
});

describe("README.md", () => {
  it.skipIf(!built)(
    "has a policy with an inventory that `mop validate` finds valid, route and all",
    async () => {
      const folder = await tempFolder({
        "policy.ts": example("README.md"),
        "inventory.toml": example("README.md", "toml"),
      });
      const [valid] = await events(["validate", "-F", "none", "-o", "json"], folder);
      expect(valid).toMatchObject({
        event: "valid",
        roles: [{ name: "web", hosts: ["l1", "l2"], files: [] }],
        routes: { l1: ["b1", "b2", "l1"], l2: ["b1", "b2", "l2"] },
        warnings: [],
      });
    },
  );
});

describe("docs/inventory.md", () => {
  it("has an inventory that resolves as it says", async () => {
    const cwd = await tempFolder({ "inventory.toml": example("docs/inventory.md", "toml") });
    const { hosts, groups } = await describeInventory({ cwd });
    const found = new Map(hosts.map((host) => [host.name, host]));
    expect(found.get("l1")?.route.map(({ user, address }) => `${user}@${address}`)).toEqual([
      "deploy@bastion.example.com",
      "deploy@10.0.0.2",
      "deploy@10.0.0.11",
    ]);
    expect(found.get("l1")?.vars).toMatchObject({ color: "blue" });
    expect(groups.shop).toEqual(["l1", "l2", "l3"]);
  });

  it("has every variable of the connection, and every kind of hop", () => {
    for (const name of CONNECTION_VARS) expect(read("docs/inventory.md")).toContain(`\`${name}\``);
    for (const kind of [...HOP_KINDS, ...Object.keys(PRESETS), "auto"])
      expect(read("docs/inventory.md")).toContain(`\`${kind}\``);
  });
});

describe("docs/resources.md", () => {
  // What the generator reads from the declarations, held to the rules that hosts go by.
  it.each(Object.values(TYPES))("has the resource $name with each of its options", ({ name, options }) => {
    const section = read("docs/resources.md")
      .split(/^### /m)
      .find((part) => part.startsWith(`${name}\n`));
    for (const [option, rule] of Object.entries(options))
      expect(section).toContain(`| \`${option}\` | ${rule.expected.replaceAll("|", "\\|")} |`);
  });
});

describe("docs/policies.md", () => {
  it("has every option that all resources take", () => {
    for (const option of Object.keys(COMMON_RULES))
      expect(read("docs/policies.md")).toContain(`\`${option}\``);
  });

  it("has every fact", () => {
    for (const fact of Object.keys(gatherFacts())) expect(read("docs/policies.md")).toContain(`\`${fact}\``);
  });
});

/** Of `mop trust`, which needs a host with ssh (test/lab/push/trust.test.ts). */
const TRUSTED: Required<TrustEvent> = {
  event: "trust",
  host: "l1",
  route: [],
  name: "l1",
  keys: [],
  file: "known_hosts",
  outcome: "known",
};

/** Of `mop runtime`, which needs a registry, a Node that can be brought, and a host that one was brought to. */
const RUNTIMES: readonly [
  { event: "runtime" } & Required<KeptRuntime>,
  { event: "runtime" } & Required<Supplied>,
  Required<CleanEvent>,
] = [
  { event: "runtime", platform: "linux-x64", version: "20.1.0", source: "", hash: "", file: "" },
  { event: "runtime", platform: "linux-x64", version: "", from: "own", source: "", glibc: "", file: "" },
  { event: "runtime", host: "l1", removed: [] },
];

describe("docs/commands.md", () => {
  it.skipIf(!built)("has every member of every event that commands write", { timeout: 120_000 }, async () => {
    const documented = new Map<string, Set<string>>();
    for (const line of example("docs/commands.md", "json").trim().split("\n")) {
      const event = JSON.parse(line) as { event: string };
      const members = documented.get(event.event) ?? new Set();
      documented.set(event.event, new Set([...members, ...Object.keys(event)]));
    }
    const main =
      "await echo('hi'); await file(vars.at, { content: 'x' }); await shell('exit 3', { ignoreErrors: false });";
    const cwd = await tempFolder({
      "policy.ts": `import { definePolicy, defineRole } from "mop";
        const role = defineRole({ name: "r", vars: { at: "" }, async main({ vars, echo, file, shell }) { ${main} } });
        export default definePolicy({ roles: [{ role }] });`,
      "inventory.toml": LOCAL,
    });
    const written = [
      ...(await events(["local", "--diff", "-e", `at=${path.join(cwd, "out")}`, "-o", "json"], cwd)),
      ...(await events(["ping", "-o", "json"], cwd)),
      ...(await events(["ping", "--routes", "-o", "json"], cwd)),
      ...(await events(["doctor", "l1", "-o", "json"], cwd)),
      ...(await events(["validate", "-o", "json"], cwd)),
      ...(await events(["facts", "hostname", "--local", "-o", "json"], cwd)),
      ...(await events(["inventory", "-F", "none", "-o", "json"], cwd)),
      // Takes more hosts than this machine to come about.
      { event: "stopped", role: "r", hosts: [], reason: "" } satisfies StoppedEvent,
      TRUSTED,
      ...RUNTIMES,
    ];
    for (const event of written)
      expect([...(documented.get(event.event) ?? [])], event.event).toEqual(
        expect.arrayContaining(Object.keys(event)),
      );
    expect(new Set(written.map(({ event }) => event))).toEqual(new Set(documented.keys()));
  });
});

describe("links and paths in documents", () => {
  it("lead from README.md to every document", () => {
    for (const name of DOCUMENTS.filter((document) => document !== "README.md"))
      expect(read("README.md"), name).toContain(`](${name})`);
  });

  it.each(DOCUMENTS)("of %s lead to files that exist", (name) => {
    const folder = path.dirname(path.join(ROOT, name));
    for (const [, target] of read(name).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g))
      expect(existsSync(path.join(folder, target!)), `${name}: ${target}`).toBe(true);
  });

  it.each([
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/protocol.md",
    "docs/templates.md",
    "docs/opsmop.md",
  ])("of %s name what there is in the project", (name) => {
    for (const [, place] of read(name).matchAll(
      /`((?:cli|engine|relay|transport|test|tools|docs|examples)\/[\w./-]*)`/g,
    ))
      expect(existsSync(path.join(ROOT, place!)), `${name}: ${place}`).toBe(true);
  });

  it("of docs/architecture.md's floors are folders and files that exist", () => {
    const [, floors = ""] = /## Floors\n([\s\S]*?)\n## /.exec(read("docs/architecture.md")) ?? [];
    let floor = "";
    let wing = "";
    for (const line of floors.split("\n").filter((text) => text.startsWith("    "))) {
      const depth = line.search(/\S/);
      const names = [...line.matchAll(/[\w-]+(?:\/(?=[\s,])|\.ts)/g)].map(([text]) => text);
      if (depth === 4) floor = names[0]!;
      if (depth === 6) wing = names[0]!.endsWith("/") ? names[0]! : "";
      const base = path.join(ROOT, depth === 4 ? "" : floor);
      for (const text of names)
        expect(
          [base, path.join(base, wing)].some((at) => existsSync(path.join(at, text))),
          `${floor}${wing}${text}`,
        ).toBe(true);
    }
  });
});

describe("examples/README.md", () => {
  it("has every example", () => {
    for (const name of readdirSync(path.join(ROOT, "examples")).filter((one) => one !== "README.md"))
      expect(read("examples/README.md")).toContain(`| [${name}](`);
  });
});

describe("docs/opsmop.md", () => {
  const [, table = ""] = /## Types\n([\s\S]*?)\n## /.exec(read("docs/opsmop.md")) ?? [];
  it("has every type that comes with mop", () => {
    for (const name of [...Object.keys(TYPES), ...Object.values(TYPE_PARTS).flat()])
      expect(table).toContain(`\`${name}`);
  });
});

describe("examples/shop", () => {
  it("is right in types and files, and goes through the bastions that --via names", async () => {
    const report = await validate({
      policy: path.join(ROOT, "examples/shop"),
      mop: await testPackage(),
      routes: { via: ["b1", "b2"] },
    });
    expect(report.roles).toEqual([
      {
        name: "web",
        hosts: ["l1", "l2", "l3"],
        files: expect.arrayContaining([
          "files/check",
          "files/style.css",
          "templates/app.conf.j2",
          "templates/head.j2",
          "templates/index.html.j2",
        ]),
      },
    ]);
    expect(report.roles[0]?.files).toHaveLength(5);
    expect(report.routes).toEqual({
      l1: ["b1", "b2", "l1"],
      l2: ["b1", "b2", "l2"],
      l3: ["b1", "b2", "l3"],
    });
    expect(report.warnings).toEqual([]);
  });
});
