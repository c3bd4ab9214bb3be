import path from "node:path";
import { type InventorySource, MARK, type TomlInventory } from "../../vocabulary/language.js";
import { displayPath, messageOf, PolicyError, type SourcePlace } from "../policy-error.js";
import { type Inventory, resolveInventory } from "./inventory.js";
import { readTomlInventory } from "./toml.js";

/**
 * Any inventory source, resolved. Relative paths are relative to `folder` (the policy's); `placeOf` finds where in the
 * user's files a function failed.
 */
export async function loadInventory(
  source: InventorySource,
  folder: string,
  placeOf?: (error: unknown) => SourcePlace | undefined,
): Promise<Inventory> {
  if (typeof source === "function") {
    let raw: unknown;
    try {
      raw = await source();
    } catch (error) {
      if (error instanceof PolicyError) throw error;
      const message = `the policy's inventory function failed: ${messageOf(error)}`;
      throw new PolicyError(message, placeOf?.(error), { cause: error });
    }
    if (isToml(raw)) return loadInventory(raw, folder);
    return resolveInventory(
      raw as Awaited<ReturnType<typeof source>>,
      "the inventory that the policy's function returned",
    );
  }
  if (isToml(source)) return loadInventoryFile(path.resolve(folder, source.path));
  return resolveInventory(source, "the policy's inventory");
}

export async function loadInventoryFile(file: string): Promise<Inventory> {
  return resolveInventory(await readTomlInventory(file), displayPath(file));
}

function isToml(source: unknown): source is TomlInventory {
  return (
    typeof source === "object" &&
    source !== null &&
    (source as { [MARK]?: unknown })[MARK] === "toml-inventory"
  );
}
