/** How one thing about a hop stands; `hint` is worth a change though the host can be used. */
export type FindingStatus = "ok" | "hint" | "failed";

/** What was looked at, in the order in which a login meets it */
export type CheckName =
  | "name"
  | "tcp"
  | "identification"
  | "algorithms"
  | "host key"
  | "login"
  | "shell"
  | "node"
  | "become"
  | "clock"
  | "disk"
  | "link";

/** One thing about one hop of the route. */
export interface FindingEvent {
  readonly event: "finding";
  readonly host: string;
  readonly hop: string;
  readonly check: CheckName;
  readonly status: FindingStatus;
  readonly text: string;
}

/** The last word: what to change, or that all is well. */
export interface DiagnosisEvent {
  readonly event: "diagnosis";
  readonly host: string;
  readonly route: readonly string[];
  readonly status: FindingStatus;
  readonly text: string;
}

export type DoctorEvent = FindingEvent | DiagnosisEvent;
export type Finding = Omit<FindingEvent, "event" | "host">;

/** The first failure counts, then the first hint. */
export function conclude(
  findings: readonly Finding[],
  host: string,
  user: string,
): Pick<DiagnosisEvent, "status" | "text"> {
  const worst =
    findings.find(({ status }) => status === "failed") ?? findings.find(({ status }) => status === "hint");
  if (!worst) return { status: "ok", text: `all is well: ${host} can be pushed to as ${user}` };
  const { hop, text, status } = worst;
  const said = text.startsWith(`${hop}: `) ? text : `${hop}: ${text}`;
  return { status, text: status === "hint" ? `${host} can be pushed to, but ${said}` : said };
}
