import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { posix } from "node:path";
import type { ArchiveOptions } from "../../../vocabulary/resources.js";
import { readArchive } from "../../archives/read.js";
import { Refusal, throwIfAborted } from "../../errors.js";
import { mayWriteIn } from "../../files/access.js";
import { replaceFile, syncFolder } from "../../files/atomic.js";
import { freshAttributes, wantedAttributes } from "../../files/attributes.js";
import { download, plainChecksum } from "../../files/download.js";
import type { Place } from "../../files/files.js";
import { Spool } from "../../files/spool.js";
import { rules } from "../../options.js";
import { NOTHING, type Plan, type ResourceType, type TypeContext } from "../../type.js";
import { type Desired, desiredBytes, foreseen } from "../content.js";
import { capped } from "../directory.js";
import { Unpacking } from "./unpacking.js";

/** An archive's content in a folder. */
export const archive: ResourceType<ArchiveOptions> = {
  name: "archive",
  options: {
    source: rules.path,
    file: rules.path,
    url: rules.url,
    checksum: rules.checksum,
    creates: rules.path,
    strip: rules.count,
    owner: rules.account,
    group: rules.account,
  },
  async plan(context, name, options) {
    const { files } = context;
    const given = (["source", "file", "url"] as const).filter((option) => options[option] !== undefined);
    if (given.length !== 1)
      throw new Refusal('it needs one of "source", "file" and "url": where the archive is');
    if (options.url !== undefined && options.checksum === undefined)
      throw new Refusal('with "url" it needs "checksum", by which it knows what is unpacked already');
    const place = await files.resolve(name, true);
    if (place.entry && place.entry.kind !== "directory") throw new Refusal("a file stands there");
    if (options.creates !== undefined && (await files.resolve(options.creates, true)).entry) return NOTHING;
    const packed = await locate(context, options);
    const stamp = options.creates === undefined ? await stampOf(place, options, packed) : undefined;
    if (stamp && (await stands(context, stamp))) return NOTHING;
    return planUnpack(context, place, options, packed, stamp);
  },
};

/** An archive that need not be here yet. */
interface Packed {
  readonly hash: string;
  spool(): Promise<Spool>;
}

async function locate(context: TypeContext, options: ArchiveOptions): Promise<Packed> {
  const { offered, files, signal } = context;
  const { source, file, url, checksum } = options;
  const wanted = checksum === undefined ? undefined : plainChecksum(checksum);
  if (url !== undefined)
    return { hash: wanted ?? "", spool: async () => (await download(context, url, checksum)).spool };
  let found: Packed;
  if (source !== undefined) {
    const { hash } = offered.find(source);
    found = { hash, spool: () => Spool.from(offered.stream(source, true), signal) };
  } else {
    const { path, entry } = await files.resolve(file!, true);
    if (entry?.kind !== "file") throw new Refusal(`there is no archive at ${file}`);
    found = {
      hash: await files.hash(path, entry),
      async spool() {
        const planned = entry.content && (await files.read(path, entry));
        return Spool.from(planned ? desiredBytes(planned).stream(true) : pieces(path), signal);
      },
    };
  }
  if (wanted !== undefined && found.hash !== wanted)
    throw new Refusal(`the archive has the SHA-256 ${found.hash}, not the one that "checksum" says`);
  return found;
}

const pieces = (at: string) => createReadStream(at) as AsyncIterable<Uint8Array>;

/** A small file that remembers what was unpacked and how, one for each archive that goes to a folder. */
interface Stamp {
  readonly at: string;
  readonly desired: Desired;
}

async function stampOf(place: Place, options: ArchiveOptions, { hash }: Packed): Promise<Stamp> {
  const { source, file, url, strip = 0, owner, group } = options;
  const which = createHash("sha256")
    .update(source ?? file ?? url ?? "")
    .digest("hex");
  const how = `strip ${strip}, owner ${owner ?? "-"}, group ${group ?? "-"}`;
  return {
    at: posix.join(place.path, `.mop-archive-${which.slice(0, 12)}`),
    desired: desiredBytes(`sha256:${hash} (${how})\n`),
  };
}

async function stands({ files }: TypeContext, { at, desired }: Stamp): Promise<boolean> {
  const { entry } = await files.resolve(at, false);
  return (
    entry?.kind === "file" && entry.size === desired.size && (await files.hash(at, entry)) === desired.hash
  );
}

async function planUnpack(
  context: TypeContext,
  place: Place,
  options: ArchiveOptions,
  packed: Packed,
  stamp: Stamp | undefined,
): Promise<Plan> {
  const { files, signal } = context;
  const { owner, group, strip = 0 } = options;
  const wanted = await wantedAttributes({
    ...(owner === undefined ? {} : { owner }),
    ...(group === undefined ? {} : { group }),
  });
  const { entries, close } = await readArchive(context, await packed.spool());
  const unpacking = new Unpacking(context, place, wanted);
  try {
    for (const entry of entries) {
      throwIfAborted(signal);
      await unpacking.add(entry, strip);
    }
  } catch (error) {
    await close();
    throw error;
  }
  const fresh = freshAttributes("file", false, await files.entry(place.path));
  const before = stamp && (await files.entry(stamp.at));
  if (stamp && !place.missing && place.entry) await mayWriteIn(files, place.path, before);
  return {
    actions: ["unpack"],
    ...(context.diff ? { diff: capped(unpacking.steps.map((step) => step.diff)) } : {}),
    foresee() {
      for (const step of unpacking.steps) step.foresee();
      if (stamp) files.foresee(stamp.at, foreseen(stamp.desired, fresh));
    },
    async apply() {
      for (const step of unpacking.steps) {
        throwIfAborted(signal);
        await step.apply();
      }
      // All of it is on the disk before the stamp says so.
      for (const at of unpacking.touched) await syncFolder(at);
      if (stamp)
        await replaceFile({
          path: stamp.at,
          before,
          attributes: before ?? fresh,
          content: stamp.desired.stream(true),
          signal,
        });
      await close();
      return ["unpack"];
    },
  };
}
