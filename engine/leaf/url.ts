import type { Place } from "./files/files.js";
import type { TypeContext } from "./type.js";
import type { Desired } from "./types/content.js";

/** What `file` has from the part "files" when it is given a `url`. */
export interface UrlDownload {
  /**
   * What a file from a URL shall hold; undefined: what stands there is that already. `checksum`: its SHA-256, with
   * which nothing is downloaded that is there.
   */
  desiredFrom(
    context: TypeContext,
    url: string,
    checksum: string | undefined,
    place: Place,
  ): Promise<Desired | undefined>;
}
