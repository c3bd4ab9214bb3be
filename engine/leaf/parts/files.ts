import { archive } from "../types/files/archive.js";
import { blockInFile } from "../types/files/block-in-file.js";
import { copyTree } from "../types/files/copy-tree.js";
import { fetch } from "../types/files/fetch.js";
import { lineInFile } from "../types/files/line-in-file.js";

/** The part "files": what only some roles do with files, and what `file` needs for its option `url`. */
export { desiredFrom } from "../files/download.js";
export const types = { copyTree, archive, lineInFile, blockInFile, fetch };
