import { SourceMap, type SourceMapPayload } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { SourcePlace } from "../policy-error.js";

/** Leads positions in a bundle back to the user's files. */
export interface SourcePositions {
  /** Line and column count from 1 */
  original(line: number, column: number): SourcePlace | undefined;
  /** The topmost frame of an error's stack that lies in the user's files */
  ofError(error: unknown): SourcePlace | undefined;
}

/** A source map whose sources are absolute paths: the same wherever the bundle lies. */
export function absoluteMap(map: string, folder: string): string {
  const payload = JSON.parse(map) as { sources: string[] };
  payload.sources = payload.sources.map((source) =>
    /^[a-z-]{2,}:/.test(source) ? source : path.resolve(folder, source),
  );
  return JSON.stringify(payload);
}

/** Where a position of a bundle comes from; undefined where the map doesn't say. Lines and columns from 1. */
export function mapPosition(map: string, line: number, column: number): SourcePlace | undefined {
  return find(new SourceMap(JSON.parse(map) as SourceMapPayload), line, column);
}

function find(map: SourceMap, line: number, column: number): SourcePlace | undefined {
  const entry = map.findEntry(line - 1, column - 1);
  if (!("originalSource" in entry)) return undefined;
  return {
    file: entry.originalSource.replace(/^[a-z-]{2,}:(?=\/)/, ""),
    line: entry.originalLine + 1,
    column: entry.originalColumn + 1,
  };
}

/** `map` as `absoluteMap` made it, `bundleFile` the name under which the bundle runs. */
export function sourcePositions(
  map: string,
  sources: readonly string[],
  bundleFile: string,
): SourcePositions {
  const parsed = new SourceMap(JSON.parse(map) as SourceMapPayload);
  const own = new Set(sources);
  const original = (line: number, column: number): SourcePlace | undefined => {
    const place = find(parsed, line, column);
    return place && own.has(place.file) ? place : undefined;
  };
  const ofError = (error: unknown): SourcePlace | undefined => {
    if (!(error instanceof Error) || !error.stack) return undefined;
    for (const [, at, line, column] of error.stack.matchAll(/((?:file:|\/)[^\s()]*?):(\d+):(\d+)/g)) {
      const file = at!.startsWith("file:") ? fileURLToPath(at!) : at!;
      // Where Node maps stacks itself (--enable-source-maps), frames name the user's files already.
      const place = own.has(file)
        ? { file, line: Number(line), column: Number(column) }
        : path.basename(file) === bundleFile
          ? original(Number(line), Number(column))
          : undefined;
      if (place) return place;
    }
    return undefined;
  };
  return { original, ofError };
}
