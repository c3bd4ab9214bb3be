import * as errors from "../errors.js";
import * as access from "../files/access.js";
import * as accounts from "../files/accounts.js";
import * as atomic from "../files/atomic.js";
import * as attributes from "../files/attributes.js";
import * as diff from "../files/diff.js";
import * as files from "../files/files.js";
import * as options from "../options.js";
import * as collector from "../process/collector.js";
import * as deadline from "../process/deadline.js";
import * as execute from "../process/execute.js";
import * as type from "../type.js";
import * as content from "../types/content.js";
import * as directory from "../types/directory.js";
import * as file from "../types/file.js";
import * as link from "../types/link.js";
import * as program from "../types/program.js";

/**
 * Modules of the wing that its parts use: in their bundles these imports become requires of "mop-wing/..."
 * (tools/bundles.mjs reads the list above), so that a part brings no copy of its own.
 */
export const SHARED: Readonly<Record<string, object>> = {
  "mop-wing/errors": errors,
  "mop-wing/files/access": access,
  "mop-wing/files/accounts": accounts,
  "mop-wing/files/atomic": atomic,
  "mop-wing/files/attributes": attributes,
  "mop-wing/files/diff": diff,
  "mop-wing/files/files": files,
  "mop-wing/options": options,
  "mop-wing/process/collector": collector,
  "mop-wing/process/deadline": deadline,
  "mop-wing/process/execute": execute,
  "mop-wing/type": type,
  "mop-wing/types/content": content,
  "mop-wing/types/directory": directory,
  "mop-wing/types/file": file,
  "mop-wing/types/link": link,
  "mop-wing/types/program": program,
};
