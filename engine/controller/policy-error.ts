/** Where in the user's files something is wrong. Line and column count from 1. */
export interface SourcePlace {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/**
 * The command, policy or inventory is at fault and nothing was contacted: exit status 1. The message is one sentence
 * that begins with the place, as "policy.ts:3:7: ...".
 */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  readonly place: SourcePlace | undefined;

  constructor(message: string, place?: SourcePlace, options?: { cause?: unknown }) {
    super(place ? `${placeText(place)}: ${message}` : message, options);
    this.place = place;
  }
}

/** "policy.ts:3:7"; paths below the working folder are shown relative to it. */
export function placeText(place: SourcePlace): string {
  const parts = [displayPath(place.file)];
  if (place.line !== undefined) parts.push(String(place.line));
  if (place.line !== undefined && place.column !== undefined) parts.push(String(place.column));
  return parts.join(":");
}

export function displayPath(file: string): string {
  const folder = `${process.cwd()}/`;
  return file.startsWith(folder) ? file.slice(folder.length) : file;
}

/** The first line of whatever was thrown. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0] ?? "";
}
