import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { withoutSsh } from "../../../engine/controller/route/command-hop.js";
import { enterBy, type PresetName } from "../../../engine/controller/route/presets.js";
import type { Hop, MeshOptions } from "../../../relay/mesh/types.js";
import { encodeValue } from "../../../transport/wire/value.js";
import { alive, until } from "../../support/alive.js";
import { buildCore } from "../../support/core-bundle.js";
import { openMesh } from "../wing/mesh.js";

/** A node and the command that leads to it are gone this soon after their link, in ms. */
const GONE_MS = 10_000;

let core: Uint8Array;
let folder: string;
beforeAll(async () => {
  core = await buildCore();
  folder = mkdtempSync(path.join(os.tmpdir(), "mop-command-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program that enters a place of its own, or refuses one that it doesn't know; it leaves its process id behind. */
function program(name: string, body: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, `#!/bin/sh\necho $$ >${file}.pid\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}
const pidOf = (file: string) => Number(readFileSync(`${file}.pid`, "utf8"));
const ENTER = `case $1 in no*) echo "enter: no such place: $1" >&2; exit 3;; esac; shift; PLACE=$PLACE/x; export PLACE`;

const hop = (name: string, enter: readonly string[], more: Partial<Hop> = {}): Hop => ({
  kind: "command",
  node: "",
  enter,
  target: withoutSsh(name, name, ""),
  ...more,
});

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
function mesh(options: Partial<MeshOptions> = {}) {
  const opened = openMesh(core, options);
  closing.push(opened.close);
  return opened;
}
const environment = (pid: number) => readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
const gone = (...pids: number[]) => until(`the end of ${pids.join(", ")}`, () => !pids.some(alive), GONE_MS);

describe("a place that a command leads into", () => {
  test("has a node over the command's stdio, and neither is there after close", async () => {
    const enter = program("wraps", `${ENTER}; "$@"; exit $?`);
    const { reach, ping, links, close } = mesh();
    const node = reach([hop("web", [enter, "web"])]);
    const info = await node.up;
    expect(environment(info.pid)).toContain("PLACE=/x");
    expect(await node.call("stats", null)).toMatchObject({ links: [] });
    expect(await ping(node)).toEqual([{ from: "controller", to: "web", ms: expect.any(Number) }]);
    expect(await links()).toEqual([expect.objectContaining({ from: "controller", to: "web" })]);
    expect(alive(pidOf(enter))).toBe(true);
    await close();
    expect(await node.gone).toBeUndefined();
    await gone(info.pid, pidOf(enter));
  });

  test("stands in another, which runs the command and passes on what goes there", async () => {
    const enter = program("execs", `${ENTER}; exec "$@"`);
    const { reach, ping, links } = mesh();
    const outer = hop("outer", [enter, "outer"]);
    const inner = hop("inner", [enter, "inner"]);
    const node = reach([outer, inner, hop("innermost", [enter, "innermost"])]);
    const info = await node.up;
    expect(node.route).toEqual(["outer", "inner", "innermost"]);
    expect(environment(info.pid)).toContain("PLACE=/x/x/x");
    const way = [
      ["controller", "outer"],
      ["outer", "inner"],
      ["inner", "innermost"],
    ];
    expect((await ping(node)).map(({ from, to }) => [from, to])).toEqual(way);
    const counted = await links();
    expect(counted.map(({ from, to }) => [from, to])).toEqual(way);
    for (const { sent } of counted) expect(sent).toBeGreaterThan(0);
    expect(reach([outer, inner]).id).not.toBe(node.id);
  });

  test("gets the boot command as one word where the template has {command}", async () => {
    const enter = program("line", `${ENTER}; eval "$1"`);
    const node = mesh().reach([hop("web", [enter, "web", "{command}"])]);
    expect(environment((await node.up).pid)).toContain("PLACE=/x");
  });

  test("may be another account there: who is it already needs no program that becomes it", async () => {
    const node = mesh().reach([
      hop("web", ["env", "PATH=/usr/bin:/bin"], {
        node: process.execPath,
        become: { method: "doas", user: os.userInfo().username },
      }),
    ]);
    expect(await node.up).toMatchObject({ user: os.userInfo().username });
  });

  describe("ordered of a node", () => {
    const child = {
      ...{ name: "web", nonce: "5eed", title: "mop", run: "3f2a" },
      ...{ heartbeatMs: 2000, deadAfterMs: 8000, bootTimeoutMs: 30_000 },
    };
    const order = (id: number, argv: readonly string[]) =>
      encodeValue({ type: "spawn", argv, child: { ...child, id }, elevation: null });
    async function ordered() {
      const { reach, endpoint } = mesh();
      const outer = reach([hop("outer", ["env"])]);
      await outer.up;
      return { outer, endpoint, channel: endpoint.open(outer.id, "spawn", null) };
    }

    test("in words that make no sense, is refused with a code, and the node lives", async () => {
      const { channel, outer } = await ordered();
      void channel.control(Buffer.from("a1ff", "hex")).catch(() => {});
      expect(await channel.closed).toMatchObject({ code: "PROTOCOL" });
      expect(await outer.call("stats", null)).toMatchObject({ links: [] });
    });

    test("a second time over one channel, is refused, and the first command ends", async () => {
      const { channel, endpoint, outer } = await ordered();
      const first = program("first", "exec sleep 60");
      const second = program("second", "exec sleep 60");
      endpoint.addNode(50, outer.id);
      for (const file of [first, second]) void channel.control(order(50, [file])).catch(() => {});
      expect(await channel.closed).toMatchObject({ code: "BAD_ARGUMENT" });
      // It may have been ended before it wrote that, or amid it
      const began = () => existsSync(`${first}.pid`) && pidOf(first) > 0;
      await until("the first command's start", began, 2000).catch(() => {});
      if (began()) await gone(pidOf(first));
      expect(existsSync(`${second}.pid`)).toBe(false);
    });
  });

  test("is lost with its name when its command is killed, and what ran there ends", async () => {
    const [enterOuter, enterInner] = ["outer", "inner"].map((name) =>
      program(`enters-${name}`, `${ENTER}; "$@"; exit $?`),
    ) as [string, string];
    const { reach } = mesh();
    const outer = hop("outer", [enterOuter, "outer"]);
    const inner = hop("inner", [enterInner, "inner"]);
    const node = reach([outer, inner]);
    const { pid } = await node.up;
    process.kill(pidOf(enterInner), "SIGKILL");
    await gone(pid);
    expect(await node.gone).toMatchObject({
      at: "inner",
      code: expect.stringMatching(/LINK_LOST|NODE_GONE/),
    });
    const again = await reach([outer, inner]).up;
    expect(again.pid).not.toBe(pid);
    const above = reach([outer]);
    const before = await above.up;
    process.kill(pidOf(enterOuter), "SIGKILL");
    await gone(before.pid, again.pid, pidOf(enterInner));
    expect(await above.gone).toMatchObject({ at: "outer" });
  });

  test("ends within 10 s of a kill -9 of the node that ran its command", async () => {
    const enter = program("orphan", `${ENTER}; "$@"; exit $?`);
    const { reach } = mesh();
    const outer = hop("outer", ["env"]);
    const node = reach([outer, hop("inner", [enter, "inner"])]);
    const { pid } = await node.up;
    process.kill((await reach([outer]).up).pid, "SIGKILL");
    await gone(pid, pidOf(enter));
    expect(await node.gone).toMatchObject({ at: "outer", code: "LINK_LOST" });
  });

  describe.each([
    ["this machine", [] as Hop[], "on this machine"],
    ["a node", [hop("outer", ["env"])], "on outer"],
  ])("whose command %s runs", (_who, before, where) => {
    const failure = (enter: readonly string[], options: Partial<MeshOptions> = {}, more: Partial<Hop> = {}) =>
      mesh(options)
        .reach([...before, hop("web", enter, more)])
        .up.then(
          () => "it came up",
          (error: unknown) => error,
        );

    test("fails with the program's name where it is missing, or may not be run", async () => {
      const shut = program("shut", ENTER);
      chmodSync(shut, 0o644);
      for (const [name, why] of [
        // The latter where a folder of PATH may not be searched
        ["mop-no-such-program", /there is no such program( that may be run)?$/],
        [shut, /there is no such program that may be run$/],
      ] as const) {
        const error = await failure([name, "web"]);
        expect(error).toMatchObject({ at: "web", code: "BOOT_FAILED" });
        const { message } = error as Error;
        const [start, end] = [
          `web: ${name} can't be run: `,
          ` (it is entered by \`${name} web\`, run ${where})`,
        ];
        expect(message.startsWith(start) && message.endsWith(end), message).toBe(true);
        expect(message.slice(start.length, -end.length)).toMatch(why);
      }
    });

    test("fails with the program's words where it refuses", async () => {
      const enter = program("refuses", ENTER);
      expect(await failure([enter, "nowhere"])).toMatchObject({
        at: "web",
        code: "BOOT_FAILED",
        message: `web: the boot command ended before Node ran; the host said "enter: no such place: nowhere" (it is entered by \`${enter} nowhere\`, run ${where})`,
      });
    });

    test("fails with NO_NODE where there is none", async () => {
      expect(await failure(["env"], {}, { node: "/nowhere/node" })).toMatchObject({
        at: "web",
        code: "NO_NODE",
      });
    });

    test("is given up in time when the program says nothing, and the program killed though it listens to no signal", async () => {
      const enter = program(
        "silent",
        "trap '' TERM HUP INT; sleep 60 & echo $! >$0.sleep; while :; do wait; done",
      );
      expect(await failure([enter], { bootTimeoutMs: 3000 })).toMatchObject({ at: "web", code: "TIMEOUT" });
      await gone(pidOf(enter), Number(readFileSync(`${enter}.sleep`, "utf8")));
    });

    test("fails when the program ends, though it leaves something behind, which ends too", async () => {
      const enter = program("leaves", "sleep 60 & echo $! >$0.sleep; echo gave up >&2; exit 3");
      expect(await failure([enter], { bootTimeoutMs: 20_000 })).toMatchObject({
        code: "BOOT_FAILED",
        message: expect.stringContaining("gave up"),
      });
      await gone(Number(readFileSync(`${enter}.sleep`, "utf8")));
    });

    test("is given up when the program talks without end", async () => {
      const enter = program("talks", "exec yes");
      expect(await failure([enter])).toMatchObject({ at: "web", code: "BOOT_FAILED" });
      await gone(pidOf(enter));
    });
  });
});

const isRoot = process.getuid?.() === 0;
const unshares = isRoot && spawnSync("unshare", ["-m", "-u", "-i", "-n", "-p", "-f", "true"]).status === 0;
const byPreset = (preset: PresetName, host: string) =>
  enterBy(preset, undefined, { host, user: undefined }, "web").argv;

describe("a preset's command", () => {
  test.skipIf(!isRoot)("by chroot leads into a tree", async () => {
    const tree = "/proc/self/root";
    const node = mesh().reach([hop("tree", byPreset("chroot", tree), { node: process.execPath })]);
    expect(await node.up).toMatchObject({ user: "root" });
  });

  test.skipIf(!unshares)("by nsenter leads into a process's namespaces", async () => {
    const inside = spawn(
      "unshare",
      [
        "-m",
        "-u",
        "-i",
        "-n",
        "-p",
        "-f",
        "--kill-child",
        "sh",
        "-c",
        "hostname inside; echo; exec sleep 60",
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    try {
      await new Promise((resolve) => inside.stdout.once("data", resolve));
      const pid = readFileSync(`/proc/${inside.pid}/task/${inside.pid}/children`, "utf8").trim();
      const node = mesh().reach([
        hop("outer", ["env"]),
        hop("inside", byPreset("nsenter", pid), { node: process.execPath }),
      ]);
      expect(await node.up).toMatchObject({ hostname: "inside" });
    } finally {
      inside.kill("SIGKILL");
    }
  });
});
