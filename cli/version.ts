import { readFileSync } from "node:fs";
import path from "node:path";
import type { MopPackage } from "../engine/controller/policy/mop-package.js";

export function readVersion({ root }: MopPackage): string {
  return (JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { version: string }).version;
}
