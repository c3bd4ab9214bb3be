import { ValueError } from "../errors.js";
import { kindOf, memberOf } from "../values.js";

/** "address.city" or "0.name" of an item; throws ValueError where there is none. */
export function attributeOf(item: unknown, attribute: unknown): unknown {
  let found = item;
  for (const part of String(attribute).split(".")) {
    const next = memberOf(found, /^\d+$/.test(part) && Array.isArray(found) ? Number(part) : part);
    if (next === undefined) throw new ValueError(`${kindOf(found)} has no "${part}"`);
    found = next;
  }
  return found;
}

/** As `attributeOf`, undefined where there is none. */
export function attributeIfAny(item: unknown, attribute: unknown): unknown {
  try {
    return attributeOf(item, attribute);
  } catch {
    return undefined;
  }
}
