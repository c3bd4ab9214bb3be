import type { RolePlan } from "../../vocabulary/order.js";

export type TagLimits = Pick<RolePlan, "tags" | "skipTags" | "roleTags">;

/** Whether a resource with these tags of its own runs under --tags and --skip-tags. */
export function wantedByTags(own: readonly string[], { tags, skipTags, roleTags }: TagLimits): boolean {
  const all = [...own, ...roleTags];
  if (all.some((tag) => skipTags.includes(tag))) return false;
  return tags === null || all.some((tag) => tags.includes(tag));
}
