import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Duplex, PassThrough } from "node:stream";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { bootOverPipe } from "../../../relay/boot/boot.js";
import { bootCommand } from "../../../relay/boot/command.js";
import { joinStdio } from "../../../relay/boot/stdio.js";
import { bring } from "../../../relay/runtime/bring.js";
import type { Run, Runtimes } from "../../../relay/runtime/types.js";
import { MopError } from "../../../transport/errors.js";

// Folders of others above it (a tmp of one's own, without a sticky bit) would be refused, as they should
const folder = mkdtempSync(path.join(os.tmpdir(), "mop-bring-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CORE = brotliCompressSync(
  'module.exports.start=()=>{process.stdout.write("up "+process.env.BROUGHT+"\\n");process.stdin.pipe(process.stdout)};',
);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** A small thing that is a Node to whoever runs it. */
const NODE = Buffer.from(`#!/bin/sh
[ "$1" = -v ] && { echo v20.1.0; exit; }
BROUGHT=$0 exec ${process.execPath} "$@"
${"# ".padEnd(3000, "x")}
`);
const TOOLS = ["sh", "head", "gzip", "ls", "id", "uname", "mkdir", "chmod", "mv", "rm", "find", "sha256sum"];

interface Host {
  readonly home: string;
  readonly bin: string;
  readonly cache: string;
}

/** A host as its commands see it: a home, and a PATH with what is needed, without Node. */
function host(tools: readonly string[] = TOOLS, scripts: Readonly<Record<string, string>> = {}): Host {
  const home = mkdtempSync(path.join(folder, "home-"));
  const bin = path.join(home, "bin");
  mkdirSync(bin);
  for (const tool of tools) {
    const at = spawnSync("sh", ["-c", `command -v ${tool}`])
      .stdout.toString()
      .trim();
    symlinkSync(at, path.join(bin, tool));
  }
  const all = { getconf: "echo glibc 2.36", uname: '[ "$1" = -s ] && echo Linux || echo x86_64', ...scripts };
  for (const [name, text] of Object.entries(all)) {
    rmSync(path.join(bin, name), { force: true });
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  return { home, bin, cache: path.join(home, ".cache/mop/runtime") };
}

interface Options {
  readonly shell?: string;
  readonly node?: Buffer;
  readonly runtimes?: Runtimes;
  readonly held?: boolean;
  readonly packs?: boolean;
  /** Called when the command is to be run once more; throws where that is refused */
  readonly refuse?: () => void;
  /** The same of a relay: the refusal comes when the command has its pipe already */
  readonly breaks?: () => Error | undefined;
  readonly turn?: () => Promise<() => void>;
  readonly pieces?: readonly Buffer[];
  /** Instead of what the hash names */
  readonly piece?: (hash: string) => Promise<Uint8Array>;
  readonly env?: Record<string, string>;
  readonly pathOfNode?: string;
}

function runtimeOf(pieces: readonly Buffer[], glibc = "2.28"): Runtimes {
  const whole = Buffer.concat(pieces);
  return {
    "linux-x64": {
      hash: sha256(whole),
      size: whole.length,
      glibc,
      pieces: pieces.map((piece) => sha256(piece)),
    },
  };
}

const halves = (whole: Buffer) => [whole.subarray(0, 1500), whole.subarray(1500)];

function boot(on: Host, options: Options = {}) {
  const nonce = "5eed5eed";
  const pieces = options.pieces ?? halves(options.node ?? NODE);
  const runtimes = options.runtimes ?? runtimeOf(pieces);
  const { held = false } = options;
  const command = bootCommand({
    node: "",
    nonce,
    size: CORE.length,
    hash: sha256(CORE),
    title: "mop relay",
    runtimes,
  })
    // This machine's own Nodes are none of that host
    .replace(/\/usr\/(local\/)?bin\/node(js)?/g, options.pathOfNode ?? "/nowhere/node")
    .replace("mop-ask", held ? "mop-take" : "mop-ask");
  const children: ReturnType<typeof spawn>[] = [];
  const wants: string[] = [];
  const given: string[] = [];
  const run: Run = (edit) => {
    const child = spawn(options.shell ?? "sh", ["-c", edit(command)], {
      env: { PATH: on.bin, HOME: on.home, ...options.env },
    });
    children.push(child);
    return {
      pipe: joinStdio(child.stdout, child.stdin),
      exit: new Promise((resolve) => child.on("exit", resolve)),
      onStderr: (take) =>
        child.stderr.on("data", (chunk: Buffer) => {
          for (const [, want] of String(chunk).matchAll(/:want ([^\n]*)/g)) wants.push(want!);
          take(chunk);
        }),
    };
  };
  const brought = bring(runtimes, {
    first: run((text) => text),
    run(edit) {
      options.refuse?.();
      const error = options.breaks?.();
      if (!error) return run(edit);
      const pipe = new PassThrough();
      setImmediate(() => pipe.destroy(error));
      return { pipe, exit: Promise.resolve(), onStderr: () => {} };
    },
    name: "l1",
    nonce,
    held,
    turn: options.turn ?? (async () => () => {}),
    piece: async (hash) => {
      given.push(hash);
      return options.piece ? options.piece(hash) : pieces.find((piece) => sha256(piece) === hash)!;
    },
    ...(options.packs ? { pack: async (_hash: string, piece: Uint8Array) => gzipSync(piece) } : {}),
  });
  const started = bootOverPipe(brought.pipe, {
    name: "l1",
    nonce,
    core: CORE,
    timeoutMs: 20_000,
    ...(held ? { elevation: { secret: Buffer.alloc(0), sealed: false, words: false } } : {}),
  });
  brought.onStderr(started.stderr);
  started.pipe.on("error", () => {});
  return { ...started, brought, children, wants, given };
}

async function lineOf(pipe: Duplex): Promise<string> {
  let text = "";
  for await (const chunk of pipe) {
    text += String(chunk);
    if (text.endsWith("PING\n")) return text;
  }
  return text;
}

async function upOf(run: ReturnType<typeof boot>): Promise<string> {
  run.pipe.write("PING\n");
  await run.booted;
  const line = await lineOf(run.pipe);
  run.pipe.end();
  return line;
}

/** Its commands have ended, and with them what they clear up. */
const ended = ({ children }: ReturnType<typeof boot>) =>
  Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, "exit")));

const filesOf = ({ cache }: Host) => (existsSync(cache) ? readdirSync(cache) : []);

describe("a host without Node is brought one", () => {
  for (const shell of ["dash", "bash", "busybox sh"]) {
    const [program = ""] = shell.split(" ");
    const there = spawnSync(program, ["true"]).error === undefined;
    test.skipIf(!there)(
      `by ${shell}, runs it, and needs none the second time${there ? "" : " (not installed)"}`,
      async () => {
        const on = host();
        if (program === "busybox") {
          rmSync(path.join(on.bin, "sh"));
          writeFileSync(path.join(on.bin, "sh"), '#!/bin/dash\nexec /bin/busybox sh "$@"\n', { mode: 0o755 });
          symlinkSync("/bin/busybox", path.join(on.bin, "busybox"));
        } else {
          rmSync(path.join(on.bin, "sh"));
          symlinkSync(`/bin/${program}`, path.join(on.bin, "sh"));
        }
        const first = boot(on);
        const kept = path.join(on.cache, sha256(NODE));
        expect(await upOf(first)).toBe(`up ${kept}\nPING\n`);
        expect(filesOf(on)).toEqual([sha256(NODE)]);
        expect(statSync(kept).mode & 0o777).toBe(0o700);
        for (const above of [on.cache, path.dirname(on.cache), path.dirname(path.dirname(on.cache))])
          expect(statSync(above).mode & 0o777).toBe(0o700);
        const second = boot(on);
        expect(await upOf(second)).toBe(`up ${kept}\nPING\n`);
        expect(second.children).toHaveLength(1);
        expect(second.given).toEqual([]);
      },
    );
  }

  test("compressed where it has gzip and somebody packs", async () => {
    const on = host();
    const run = boot(on, { packs: true });
    expect(await upOf(run)).toContain("PING");
    expect(run.wants).toEqual(["linux-x64 2.36 gz", "linux-x64 2.36 gz"]);
  });

  test("as it is where it has no gzip", async () => {
    const run = boot(host(TOOLS.filter((tool) => tool !== "gzip")), { packs: true });
    expect(await upOf(run)).toContain("PING");
    expect(run.wants[0]).toBe("linux-x64 2.36 raw");
  });

  test("by one command where stdin is free from the start", async () => {
    const run = boot(host(), { held: true });
    expect(await upOf(run)).toContain("PING");
    expect(run.children).toHaveLength(1);
    expect(run.wants).toHaveLength(1);
  });

  test("without a program for SHA-256 the Node that came checks itself", async () => {
    const on = host(TOOLS.filter((tool) => tool !== "sha256sum"));
    // Nothing but what is in its PATH
    const real = readFileSync(process.execPath);
    const run = boot(on, { pieces: [real] });
    run.pipe.write("PING\n");
    await run.booted;
    expect(await lineOf(run.pipe)).toContain("PING");
    run.pipe.end();
    chmodSync(path.join(on.cache, sha256(real)), 0o700);
    writeFileSync(path.join(on.cache, sha256(real)), Buffer.concat([real, Buffer.from("x")]), {
      mode: 0o700,
    });
    const again = boot(on, { pieces: [real] });
    await upOf(again);
    expect(again.given).toEqual([sha256(real)]);
  });

  test("when it is its turn, however long that takes", async () => {
    let left = 0;
    const turn = async () => {
      await new Promise((resolve) => setTimeout(resolve, 600));
      return () => left++;
    };
    for (const held of [false, true]) expect(await upOf(boot(host(), { held, turn }))).toContain("PING");
    expect(left).toBeGreaterThanOrEqual(2);
  });

  test("when the server takes a second command, if it doesn't at once", async () => {
    let refusals = 2;
    const refuse = () => {
      if (refusals-- > 0) throw new MopError("SSH_CHANNEL_REFUSED", "open failed");
    };
    expect(await upOf(boot(host(), { refuse }))).toContain("PING");
    refusals = 2;
    const breaks = () =>
      refusals-- > 0 ? new MopError("SSH_CHANNEL_REFUSED", "the server opens no session") : undefined;
    expect(await upOf(boot(host(), { breaks }))).toContain("PING");
    refusals = 100;
    await expect(boot(host(), { breaks }).booted).rejects.toMatchObject({ code: "SSH_CHANNEL_REFUSED" });
    await expect(boot(host(), { refuse }).booted).rejects.toMatchObject({ code: "SSH_CHANNEL_REFUSED" });
  });

  test("its command has ended when Node has, not when the one that found none did", async () => {
    const run = boot(host());
    let ended = false;
    void run.brought.exit.then(() => {
      ended = true;
    });
    run.pipe.write("PING\n");
    await run.booted;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(ended).toBe(false);
    run.children.at(-1)!.kill("SIGKILL");
    await run.brought.exit;
  });

  test("a Node 14 in its PATH counts as none", async () => {
    const on = host(TOOLS, { node: "echo v14.21.3" });
    expect(await upOf(boot(on))).toContain(on.cache);
  });

  test("a Node of its own is used, and nothing is brought", async () => {
    const on = host(TOOLS, {
      node: `[ "$1" = -v ] && { echo v16.0.0; exit; }; exec ${process.execPath} "$@"`,
    });
    const run = boot(on);
    expect(await upOf(run)).toBe("up undefined\nPING\n");
    expect(filesOf(on)).toEqual([]);
  });

  test("the umask of what runs then is the account's own", async () => {
    const on = host();
    const run = boot(on, {
      node: Buffer.from(
        `#!/bin/sh\n[ "$1" = -v ] && { echo v20.1.0; exit; }\nBROUGHT=$(umask) exec ${process.execPath} "$@"\n`.padEnd(
          2000,
          "\n",
        ),
      ),
    });
    const umask = spawnSync("sh", ["-c", "umask"]).stdout.toString();
    expect(await upOf(run)).toBe(`up ${umask}PING\n`);
  });
});

describe("nothing is run that is not whole", () => {
  test("another content than the hash names is refused and thrown away", async () => {
    const on = host();
    const bad = halves(Buffer.from(NODE.toString().replace("v20.1.0", "v20.6.6")));
    const run = boot(on, {
      piece: async (hash) => (hash === sha256(halves(NODE)[0]!) ? bad[0]! : halves(NODE)[1]!),
    });
    await expect(run.booted).rejects.toMatchObject({
      code: "NO_NODE",
      message: expect.stringMatching(
        /^l1: no Node 16 or newer there, and it can't be brought one: what came is damaged/,
      ),
    });
    await ended(run);
    expect(filesOf(on)).toEqual([]);
  });

  test("what is cut off leaves nothing behind, and the next try brings it whole", async () => {
    const on = host();
    const cut: ReturnType<typeof boot> = boot(on, {
      async piece(hash) {
        if (hash === sha256(halves(NODE)[0]!)) return halves(NODE)[0]!;
        cut.pipe.destroy();
        throw new Error("gone");
      },
    });
    await expect(cut.booted).rejects.toThrow();
    await ended(cut);
    expect(filesOf(on)).toEqual([]);
    expect(await upOf(boot(on))).toContain("PING");
  });

  test("what a killed transfer left is not run, nor taken for another", async () => {
    const on = host();
    const cut: ReturnType<typeof boot> = boot(on, {
      piece: async (hash) => {
        if (hash === sha256(halves(NODE)[0]!)) return halves(NODE)[0]!;
        cut.children.at(-1)!.kill("SIGKILL");
        throw new Error("killed");
      },
    });
    await expect(cut.booted).rejects.toThrow();
    expect(filesOf(on).every((name) => name.endsWith(".part"))).toBe(true);
    expect(await upOf(boot(on))).toContain(path.join(on.cache, sha256(NODE)));
  });

  test("a kept one that was altered is brought anew", async () => {
    const on = host();
    await upOf(boot(on));
    const kept = path.join(on.cache, sha256(NODE));
    writeFileSync(kept, NODE.toString().replace("v20.1.0", "v20.6.6"));
    const again = boot(on);
    expect(await upOf(again)).toContain("PING");
    expect(again.given).toHaveLength(2);
    expect(readFileSync(kept)).toEqual(NODE);
  });

  test.each([
    [
      "a link",
      (kept: string) => {
        renameSync(kept, `${kept}x`);
        symlinkSync(`${kept}x`, kept);
      },
    ],
    ["writable by others", (kept: string) => chmodSync(kept, 0o722)],
  ])("a kept one that is %s is not run", async (_what, change) => {
    const on = host();
    await upOf(boot(on));
    change(path.join(on.cache, sha256(NODE)));
    const again = boot(on);
    expect(await upOf(again)).toContain("PING");
    expect(again.given).toHaveLength(2);
  });

  test("a cache above which others may write is refused, and they are named", async () => {
    const on = host();
    const open = path.join(on.home, "open");
    mkdirSync(open);
    chmodSync(open, 0o777);
    const run = boot(on, { env: { XDG_CACHE_HOME: path.join(open, "cache") } });
    await expect(run.booted).rejects.toThrow(`no safe place for it: others may write to ${open}`);
  });
});

describe("one clear sentence where it can't be", () => {
  const failing = async (on: Host, options: Options = {}) => {
    const run = boot(on, options);
    const error = await run.booted.then(
      () => "it came up",
      (reason: MopError) => `${reason.code} ${reason.message}`,
    );
    // It clears up what it wrote before it ends
    await ended(run);
    return error.replaceAll(on.home, "~");
  };

  test("a home without a place to write", async () => {
    const on = host(TOOLS, {
      mkdir: 'echo "mkdir: cannot create directory: Read-only file system" >&2; exit 1',
    });
    expect(await failing(on)).toBe(
      "NO_NODE l1: no Node 16 or newer there, and it can't be brought one: ~/.cache/mop/runtime can not be made: mkdir: cannot create directory: Read-only file system",
    );
  });

  test("a full disk", async () => {
    const on = host(TOOLS, {
      head: 'for a; do [ "$a" = "-n" ] && exec /usr/bin/head "$@"; done; echo "head: error writing: No space left on device" >&2; exit 1',
    });
    expect(await failing(on)).toMatch(
      /^NO_NODE l1: no Node 16 .* it can not be written to ~\/.cache\/mop\/runtime: head: error writing: No space left on device$/,
    );
    expect(filesOf(on)).toEqual([]);
  });

  test("a file system that runs nothing, or a library that is missing", async () => {
    const node = Buffer.from(
      "#!/bin/sh\necho libstdc++.so.6: cannot open shared object file >&2; exit 127\n".padEnd(2000, "\n"),
    );
    expect(await failing(host(), { node })).toMatch(
      /the Node that was brought does not run in ~\/.cache\/mop\/runtime .*noexec.*: libstdc\+\+\.so\.6: cannot open/,
    );
  });

  test("a Node that is too old itself", async () => {
    const node = Buffer.from("#!/bin/sh\necho v14.21.3\n".padEnd(2000, "\n"));
    expect(await failing(host(), { node })).toContain(
      "the Node that was brought is v14.21.3, and 16 or newer is needed",
    );
  });

  test("a platform for which there is nothing, with what would help", async () => {
    const on = host(TOOLS, { uname: '[ "$1" = -s ] && echo Linux || echo aarch64' });
    expect(await failing(on)).toBe(
      "NO_NODE l1: no Node 16 or newer there, and none to bring for linux-arm64 (there is linux-x64; `mop runtime add linux-arm64` fetches one where there is a source, [runtimes] in defaults.toml names a file)",
    );
  });

  test("a glibc that is too old", async () => {
    const on = host(TOOLS, { getconf: "echo glibc 2.17" });
    expect(await failing(on)).toMatch(
      /^NO_NODE l1: .* linux-x64 needs glibc 2\.28, while the host has 2\.17 /,
    );
    expect(filesOf(on)).toEqual([]);
  });

  /** A host that asks for what nobody has */
  const asksInVain = (first = new PassThrough()) =>
    bring(
      {},
      {
        first: {
          pipe: first,
          exit: new Promise(() => {}),
          onStderr: (take) => take(Buffer.from("mop-boot:5eed:want linux-x64 2.36 gz\n")),
        },
        run: () => Promise.reject(new Error("run again")),
        name: "l1",
        nonce: "5eed",
        held: false,
        turn: async () => () => {},
        piece: () => Promise.reject(new Error("asked for a piece")),
      },
    );

  test("and not before anybody looks at the pipe, though the host says so together with the login's answer", async () => {
    const { pipe } = asksInVain();
    await Promise.resolve().then(() => {});
    await new Promise<void>((resolve) => process.nextTick(resolve));
    expect(pipe.destroyed).toBe(false);
    expect(await once(pipe, "error")).toMatchObject([{ code: "NO_NODE" }]);
  });

  test("with what the host said, though its channel is closed with the core half written", async () => {
    const first = new PassThrough();
    const { pipe } = asksInVain(first);
    first.destroy(new MopError("CHANNEL_CLOSED", "the channel is closed"));
    expect(await once(pipe, "error")).toMatchObject([{ code: "NO_NODE" }]);
  });

  test("no home", async () => {
    expect(await failing(host(), { env: { HOME: "" } })).toContain("HOME is not set there");
  });
});

describe("platforms are told apart", () => {
  const none = "exit 1";
  const cases: readonly [want: string, scripts: Record<string, string>][] = [
    ["linux-x64 2.36", {}],
    ["linux-arm64 2.31", { uname: "[ $1 = -s ] && echo Linux || echo aarch64", getconf: "echo glibc 2.31" }],
    [
      "linux-x64 2.35",
      { getconf: none, ldd: 'echo "ldd (Ubuntu GLIBC 2.35-0ubuntu3) 2.35"; echo Copyright' },
    ],
    ["linux-x64 2.17", { getconf: none, ldd: 'echo "ldd (GNU libc) 2.17"; echo Copyright' }],
    [
      "linux-x64-musl 0",
      { getconf: none, ldd: 'echo "musl libc (x86_64)" >&2; echo Version 1.2.4 >&2; exit 1' },
    ],
    [
      "linux-arm64-musl 0",
      {
        uname: "[ $1 = -s ] && echo Linux || echo aarch64",
        getconf: 'echo "getconf: GNU_LIBC_VERSION: unknown variable" >&2; exit 1',
        ldd: 'echo "musl libc (aarch64)" >&2; exit 1',
      },
    ],
    ["linux-32bit-x64 2.36", { getconf: "case $1 in LONG_BIT) echo 32;; *) echo glibc 2.36;; esac" }],
    [
      "linux-32bit-arm64 2.31",
      {
        uname: "[ $1 = -s ] && echo Linux || echo aarch64",
        getconf: "case $1 in LONG_BIT) echo 32;; *) echo glibc 2.31;; esac",
      },
    ],
    ["linux-armv7l 2.36", { uname: "[ $1 = -s ] && echo Linux || echo armv7l" }],
    ["darwin-arm64 0", { uname: "[ $1 = -s ] && echo Darwin || echo arm64", getconf: none }],
    ["FreeBSD-x64 0", { uname: "[ $1 = -s ] && echo FreeBSD || echo amd64", getconf: none }],
  ];
  test.each(cases)("%s", async (want, scripts) => {
    const run = boot(host(TOOLS, scripts), { runtimes: {} });
    await expect(run.booted).rejects.toMatchObject({ code: "NO_NODE" });
    expect(run.wants).toEqual([`${want} gz`]);
  });
});
