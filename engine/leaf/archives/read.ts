import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Refusal } from "../errors.js";
import { Spool, spoolFolder } from "../files/spool.js";
import type { TypeContext } from "../type.js";
import type { ArchiveEntry } from "./entry.js";
import { isTar, readTar } from "./tar.js";
import { isZip, readZip } from "./zip.js";

/** Programs that unpack what Node doesn't, by the bytes that a file begins with. */
const PROGRAMS = [
  { magic: "fd377a585a00", program: "xz" },
  { magic: "425a68", program: "bzip2" },
  { magic: "28b52ffd", program: "zstd" },
] as const;

/** What is in an archive. `spool` is closed when it is not needed any more; what is given lasts until `close`. */
export async function readArchive(
  context: TypeContext,
  spool: Spool,
): Promise<{ readonly entries: readonly ArchiveEntry[]; close(): Promise<void> }> {
  const head = await spool.read(0, 512);
  if (isZip(head)) return { entries: await readZip(spool), close: () => spool.close() };
  const tar = await unpackedTar(context, spool, head);
  if (tar !== spool) await spool.close();
  if (!isTar(await tar.read(0, 512)))
    throw new Refusal("it is no archive: neither tar (plain, gz, xz, bz2, zst) nor zip");
  return { entries: await readTar(tar), close: () => tar.close() };
}

async function unpackedTar(context: TypeContext, spool: Spool, head: Buffer): Promise<Spool> {
  if (head[0] === 0x1f && head[1] === 0x8b) {
    const source = Readable.from(spool.stream());
    const gunzip = createGunzip();
    source.once("error", (error) => gunzip.destroy(error));
    return Spool.from(source.pipe(gunzip), context.signal).catch((error: unknown) => {
      if (error instanceof Refusal) throw error;
      throw new Refusal("the archive is damaged: it can't be unzipped");
    });
  }
  const magic = head.subarray(0, 6).toString("hex");
  const found = PROGRAMS.find((known) => magic.startsWith(known.magic));
  return found ? byProgram(context, found.program, spool) : spool;
}

/** By way of files in a folder of their own: what a program says on its standard output would be taken for text. */
async function byProgram(context: TypeContext, program: string, spool: Spool): Promise<Spool> {
  const folder = await mkdtemp(path.join(spoolFolder(), "mop-archive-"));
  try {
    const [packed, plain] = [path.join(folder, "packed"), path.join(folder, "plain")];
    await writeFile(packed, Readable.from(spool.stream()), { mode: 0o600 });
    const script = 'exec "$1" -dc <"$2" >"$3"';
    const { rc, stderr } = await context.exec("/bin/sh", ["-c", script, "sh", program, packed, plain], {
      accept: "any",
    });
    if (rc === 127)
      throw new Refusal(
        `the host has no program "${program}" to unpack it; install it, or pack it as tar.gz`,
      );
    if (rc !== 0) throw new Refusal(`${program} can't unpack it: ${stderr.trim().split("\n").pop() ?? rc}`);
    return await Spool.from(createReadStream(plain) as AsyncIterable<Uint8Array>, context.signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
