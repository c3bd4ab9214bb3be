/** Looks into the memory of a container's processes for texts that must not be there. */
import type { ContainerHost } from "./container-host.js";

/** What is looked for, by a name that may be shown. */
export type Needles = ReadonlyMap<string, Buffer>;

/** Texts and bytes in every form in which a program may hold them, each as a needle: "token in hex". */
export function needlesOf(secrets: Readonly<Record<string, string | Uint8Array>>): Needles {
  const needles = new Map<string, Buffer>();
  for (const [name, secret] of Object.entries(secrets)) {
    const bytes = Buffer.from(secret);
    needles.set(`${name} as it is`, bytes);
    if (typeof secret === "string") needles.set(`${name} in UTF-16`, Buffer.from(secret, "utf16le"));
    needles.set(`${name} in hex`, Buffer.from(bytes.toString("hex")));
    // In the middle of a longer Base64 it begins at any of three places of a group; what depends on its neighbours goes.
    for (const before of [0, 1, 2]) {
      const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
      const whole = Math.floor(((before + bytes.length) * 8) / 6);
      needles.set(
        `${name} in Base64 at ${before}`,
        Buffer.from(text.slice(Math.ceil((before * 8) / 6), whole)),
      );
    }
  }
  return needles;
}

/** One process, as one look saw it. */
export interface MemoryLook {
  readonly pid: number;
  readonly title: string;
  /** Bytes that were read */
  readonly bytes: number;
  /** Names of the needles that were there */
  readonly found: readonly string[];
}

/** Needles as an argument that holds none of them: every process's arguments are looked at too. */
const disguised = (needles: Needles): string =>
  JSON.stringify(
    [...needles].map(([name, bytes]) => [name, Buffer.from(bytes.map((byte) => byte ^ 255)).toString("hex")]),
  );

/** Runs in the container: all that a core dump of each other process would hold, read from /proc (root reads any). */
const LOOK = `
const fs = require("fs");
const needles = JSON.parse(process.argv[1]).map(([name, hex]) => [name, Buffer.from(hex, "hex").map((b) => b ^ 255)]);
const starts = new Uint8Array(1 << 24);
for (const [, bytes] of needles) starts[(bytes[0] << 16) | (bytes[1] << 8) | bytes[2]] = 1;
const STEP = 1 << 20, OVERLAP = 1 << 12, buffer = Buffer.alloc(STEP + OVERLAP), zeros = Buffer.alloc(4096);
const seek = (fd, from, to, found) => {
  let bytes = 0;
  for (let at = from; at < to; at += STEP) {
    let read = 0;
    try { read = fs.readSync(fd, buffer, 0, Math.min(buffer.length, to - at), at); } catch { continue; }
    bytes += Math.min(read, STEP);
    for (let i = 0, window = 0; i < read; i++) {
      // Pages of nothing are many
      if ((i & 4095) === 0 && zeros.compare(buffer, i, i + 4096) === 0) {
        i += 4095;
        window = 0;
        continue;
      }
      window = ((window << 8) | buffer[i]) & 0xffffff;
      if (i < 2 || starts[window] === 0) continue;
      for (const [name, needle] of needles)
        if (!found.has(name) && buffer.compare(needle, 0, needle.length, i - 2, Math.min(read, i - 2 + needle.length)) === 0) found.add(name);
    }
  }
  return bytes;
};
const looks = [];
for (const pid of fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name) && Number(name) !== process.pid)) {
  const found = new Set();
  let bytes = 0, title = "";
  try {
    title = fs.readFileSync("/proc/" + pid + "/cmdline", "latin1").replace(/\\0/g, " ").trim();
    const mem = fs.openSync("/proc/" + pid + "/mem", "r");
    let range;
    for (const line of fs.readFileSync("/proc/" + pid + "/smaps", "latin1").split("\\n")) {
      const head = /^([0-9a-f]+)-([0-9a-f]+) r(\\S+) \\S+ \\S+ \\d+ *(.*)/.exec(line);
      // As in a core dump: not what only stands in a file
      if (/^[0-9a-f]+-/.test(line)) range = head && (head[3][0] === "w" || !head[4]) ? [parseInt(head[1], 16), parseInt(head[2], 16)] : undefined;
      else if (range && /^Rss: +[1-9]/.test(line)) bytes += seek(mem, range[0], range[1], found);
    }
    fs.closeSync(mem);
  } catch (error) {
    if (!["ENOENT", "ESRCH", "EIO"].includes(error.code)) throw error;
  }
  if (bytes > 0) looks.push({ pid: Number(pid), title, bytes, found: [...found] });
}
console.log(JSON.stringify(looks));
`;

/** What the memory of all processes of a host holds at this moment. */
export async function memoryOf(host: ContainerHost, needles: Needles): Promise<MemoryLook[]> {
  const { exitCode, stdout, output } = await host.container.exec(["node", "-e", LOOK, disguised(needles)], {
    user: "root",
  });
  if (exitCode !== 0) throw new Error(`${host.name}: the look into its memory gave ${exitCode}: ${output}`);
  return JSON.parse(stdout) as MemoryLook[];
}

/** Names of the needles in a byte string. */
export const foundIn = (content: Buffer, needles: Needles): string[] =>
  [...needles].filter(([, needle]) => content.includes(needle)).map(([name]) => name);

/** Starts a process that holds these needles, each once; ends it. What a look must be able to find. */
export async function planted<T>(host: ContainerHost, needles: Needles, look: (pid: number) => Promise<T>) {
  const program = `const held = JSON.parse(process.argv[1]).map(([, hex]) => Buffer.from(hex, "hex").map((b) => b ^ 255)); console.log(process.pid); setTimeout(() => held.length, 60000)`;
  const words = disguised(needles).replaceAll("'", "");
  const out = "/lab/planted";
  await host.sh(`node -e '${program}' '${words}' >${out} & until [ -s ${out} ]; do sleep 0.05; done`);
  const pid = Number(await host.sh(`cat ${out}; rm ${out}`));
  try {
    return await look(pid);
  } finally {
    await host.sh(`kill ${pid}`);
  }
}
