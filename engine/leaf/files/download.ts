import { Refusal } from "../errors.js";
import type { TypeContext } from "../type.js";
import type { Desired } from "../types/content.js";
import type { UrlDownload } from "../url.js";
import type { Place } from "./files.js";
import { ask, shownUrl } from "./http.js";
import { Spool } from "./spool.js";

/** A checksum as the options take it, as plain hex. */
export const plainChecksum = (checksum: string): string => checksum.replace(/^sha256:/i, "").toLowerCase();

/**
 * Downloads while planning: so a check tells of an address that is wrong, and of what a server gives now. Nothing of
 * it gets a name on this host.
 */
export const desiredFrom: UrlDownload["desiredFrom"] = async (context, url, checksum, place) => {
  if (checksum !== undefined) {
    if (await holds(context, place, plainChecksum(checksum))) return undefined;
  } else if (await seemsCurrent(context, url, place)) return undefined;
  const { spool, modified } = await download(context, url, checksum);
  return {
    size: spool.size,
    hash: spool.hash,
    executable: false,
    // By this time the next run sees without a download that nothing is new.
    modified: checksum === undefined ? modified : undefined,
    stream: () => stream(spool, context.check),
  } satisfies Desired;
};

async function* stream(spool: Spool, again: boolean): AsyncGenerator<Uint8Array> {
  yield* spool.stream();
  if (!again) await spool.close();
}

/** What an address gives. Throws a Refusal when that isn't what the checksum says. */
export async function download(
  { signal }: Pick<TypeContext, "signal">,
  url: string,
  checksum: string | undefined,
): Promise<{ readonly spool: Spool; readonly modified: Date | undefined }> {
  const { status, headers, body } = await ask("GET", url, signal);
  if (status !== 200) {
    body.destroy();
    throw new Refusal(`${shownUrl(url)} answered with the status ${status}`);
  }
  const spool = await Spool.from(body, signal);
  if (checksum !== undefined && spool.hash !== plainChecksum(checksum)) {
    await spool.close();
    throw new Refusal(
      `what ${shownUrl(url)} gave has the SHA-256 ${spool.hash}, not the one that "checksum" says`,
    );
  }
  return { spool, modified: dateOf(headers["last-modified"]) };
}

async function holds({ files }: TypeContext, { path, entry }: Place, hash: string): Promise<boolean> {
  return entry?.kind === "file" && (await files.hash(path, entry)) === hash;
}

/**
 * A file that this downloaded has the server's time of last change, and whoever edits it gives it another. So what
 * agrees in time and size is what the server has.
 */
async function seemsCurrent({ signal }: TypeContext, url: string, { entry }: Place): Promise<boolean> {
  if (entry?.kind !== "file" || !entry.stats) return false;
  const { status, headers, body } = await ask("HEAD", url, signal);
  body.destroy();
  const modified = dateOf(headers["last-modified"]);
  return (
    status === 200 &&
    modified !== undefined &&
    headers["content-length"] === String(entry.size) &&
    Math.floor(entry.stats.mtimeMs / 1000) === modified.getTime() / 1000
  );
}

function dateOf(header: string | undefined): Date | undefined {
  const date = new Date(header ?? "");
  return Number.isNaN(date.getTime()) ? undefined : date;
}
