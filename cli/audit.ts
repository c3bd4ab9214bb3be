import { withoutSecrets } from "../engine/controller/secrets/known-secrets.js";
import { LogFile } from "../engine/leaf/log/log-file.js";
import type { AuditEntry, OnAudit } from "../relay/mesh/audit.js";
import { escapeLine, safeJson } from "./output/escape.js";

/** The operator's own log of what their runs logged in to. */
export interface AuditOptions {
  /** Default "~/.mop/audit.log" */
  readonly path?: string;
}

export interface AuditLog {
  readonly write: OnAudit | undefined;
  /** Resolves when all lines are written, or when that takes too long. */
  close(): Promise<void>;
}

export const AUDIT_LOG = "~/.mop/audit.log";

/** A line of JSON an entry, in a file of this user's that is put aside at 1 MB. `false`: none is kept. */
export function openAudit(
  options: AuditOptions | false | undefined,
  { run, operator }: { readonly run: string; readonly operator: string },
  note: (text: string) => void,
): AuditLog {
  if (options === false) return { write: undefined, close: async () => {} };
  const file = new LogFile(options?.path ?? AUDIT_LOG, (why) => note(escapeLine(why)));
  return {
    write({ event, outcome, ...entry }: AuditEntry) {
      const line = { time: new Date().toISOString(), run, operator, event, ...entry };
      file.append(safeJson({ ...line, outcome: withoutSecrets(outcome) }));
    },
    close: () => file.close(),
  };
}
