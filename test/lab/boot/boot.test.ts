import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Duplex } from "node:stream";
import { brotliCompressSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { bootOverPipe } from "../../../relay/boot/boot.js";
import { bootCommand } from "../../../relay/boot/command.js";
import { joinStdio } from "../../../relay/boot/stdio.js";

const folder = mkdtempSync(path.join(tmpdir(), "mop-boot-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A core that says what it was given and echoes. */
const CORE = brotliCompressSync(
  'module.exports.start=(core)=>{process.stdout.write(JSON.stringify([core.length,process.title])+"\\n");process.stdin.pipe(process.stdout)};',
);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

interface Options {
  readonly shell?: string;
  readonly before?: string;
  readonly env?: Record<string, string>;
  readonly node?: string;
  readonly hash?: string;
  readonly timeoutMs?: number;
}

function boot(options: Options = {}) {
  const nonce = "5eed5eed";
  const command = bootCommand({
    node: options.node ?? "",
    nonce,
    size: CORE.length,
    hash: options.hash ?? sha256(CORE),
    title: "mop relay of o'hara@laptop, run 3f2a",
  });
  const child = spawn(options.shell ?? "sh", ["-c", `${options.before ?? ""}${command}`], {
    env: { PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`, HOME: folder, ...options.env },
  });
  const started = bootOverPipe(joinStdio(child.stdout, child.stdin), {
    name: "b1",
    nonce,
    core: CORE,
    timeoutMs: options.timeoutMs ?? 10_000,
  });
  child.stderr.on("data", (chunk) => started.stderr(chunk));
  started.pipe.on("error", () => {});
  return { ...started, child };
}

async function lineOf(pipe: Duplex): Promise<string> {
  let text = "";
  for await (const chunk of pipe) {
    text += String(chunk);
    if (text.endsWith("PING\n")) return text;
  }
  return text;
}

const shells = ["bash", "dash", "zsh", "ksh", "fish", "csh", "tcsh"].map((shell) => ({
  shell,
  there: spawnSync(shell, ["-c", "true"]).status === 0,
}));

describe("bootOverPipe()", () => {
  for (const { shell, there } of shells) {
    test.skipIf(!there)(
      `starts the core under the login shell ${shell}${there ? "" : " (not installed)"}`,
      async () => {
        const { pipe, booted } = boot({ shell });
        pipe.write("PING\n");
        await booted;
        expect(await lineOf(pipe)).toBe(
          `[${CORE.length},"mop relay of o_hara_laptop, run 3f2a"]\nPING\n`.replace("o_hara_", "o_hara@"),
        );
      },
    );
  }

  test("skips what a noisy .bashrc prints before the core, on both streams", async () => {
    const { pipe } = boot({ before: "echo Welcome to b1; echo warning >&2; " });
    pipe.write("PING\n");
    expect(await lineOf(pipe)).toMatch(/^\[\d+,"mop.*\nPING\n$/);
  });

  test("fails with BOOT_FAILED and the host's words when no node starts", async () => {
    const { booted } = boot({ before: "echo This account is not available; exit 1; " });
    await expect(booted).rejects.toMatchObject({
      code: "BOOT_FAILED",
      message: expect.stringContaining(
        'b1: the boot command ended before Node ran; the host said "This account is not available"',
      ),
    });
  });

  test("fails with BOOT_FAILED when the host prints without end", async () => {
    const { booted, child } = boot({ before: "while :; do echo y; done; " });
    await expect(booted).rejects.toMatchObject({ code: "BOOT_FAILED" });
    child.kill("SIGKILL");
  });

  test("fails with NO_NODE and names the paths that were tried", async () => {
    const { booted } = boot({ node: path.join(folder, "missing/node") });
    await expect(booted).rejects.toMatchObject({
      code: "NO_NODE",
      message: expect.stringContaining("missing/node"),
    });
  });

  test("fails with NODE_TOO_OLD and names path and version", async () => {
    const old = path.join(folder, "old");
    mkdirSync(old);
    writeFileSync(path.join(old, "node"), "#!/bin/sh\necho v14.21.3\n");
    chmodSync(path.join(old, "node"), 0o755);
    const { booted } = boot({ node: path.join(old, "node") });
    await expect(booted).rejects.toMatchObject({
      code: "NODE_TOO_OLD",
      message: expect.stringMatching(/old\/node \(v14\.21\.3\)/),
    });
  });

  test("finds the newest of nvm where the path has an old node only", async () => {
    const old = path.join(folder, "old2");
    const nvm = path.join(folder, "home/.nvm/versions/node");
    mkdirSync(old);
    writeFileSync(path.join(old, "node"), "#!/bin/sh\necho v9.1.0\n");
    writeFileSync(path.join(old, "nodejs"), "#!/bin/sh\necho v9.1.0\n");
    for (const name of ["node", "nodejs"]) chmodSync(path.join(old, name), 0o755);
    for (const version of ["v16.20.2", "v20.1.0"]) {
      mkdirSync(path.join(nvm, version, "bin"), { recursive: true });
      const file = path.join(nvm, version, "bin/node");
      writeFileSync(
        file,
        `#!/bin/sh\n[ "$1" = -v ] && exec echo ${version}\nMARK=${version} exec ${process.execPath} "$@"\n`,
      );
      chmodSync(file, 0o755);
    }
    // Only where the usual places of this machine have none that would be found first
    const usual = ["/usr/local/bin/node", "/usr/bin/node", "/usr/bin/nodejs"].some(
      (file) => spawnSync(file, ["-v"]).status === 0,
    );
    const { pipe, child } = boot({ env: { PATH: `${old}:/bin:/usr/bin`, HOME: path.join(folder, "home") } });
    pipe.write("PING\n");
    expect(await lineOf(pipe)).toContain("PING");
    if (!usual)
      expect(spawnSync("cat", [`/proc/${child.pid}/environ`]).stdout.toString()).toContain("MARK=v20.1.0");
  });

  test("fails with CORE_CORRUPT when the hash is another, and runs nothing", async () => {
    const { booted } = boot({ hash: "0".repeat(64) });
    await expect(booted).rejects.toMatchObject({ code: "CORE_CORRUPT" });
  });

  test("fails with TIMEOUT when the host is silent", async () => {
    const { booted, child } = boot({ before: "sleep 20; ", timeoutMs: 300 });
    await expect(booted).rejects.toMatchObject({ code: "TIMEOUT" });
    child.kill("SIGKILL");
  });
});
