import path from "node:path";

const TAG = /\{%[-+]?\s*(?:include|import|extends|from)\s+([\s\S]*?)%\}/g;
const TEXT = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/g;

/** Other templates that a template's text names in `include`, `import`, `from` and `extends`. */
export function templateReferences(text: string): string[] {
  const found = new Set<string>();
  for (const [, body] of text.matchAll(TAG))
    for (const [, double, single] of body!.matchAll(TEXT))
      found.add((double ?? single ?? "").replace(/\\(.)/g, "$1"));
  return [...found];
}

/** Where a template that is named so may lie: beside the one that names it, or below the policy's folder. */
export function referencePlaces(name: string, from: string): string[] {
  return [...new Set([path.posix.join(path.posix.dirname(from), name), path.posix.normalize(name)])];
}
