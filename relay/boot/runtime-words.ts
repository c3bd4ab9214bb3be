/** Oldest Node that the core runs on. */
export const OLDEST_NODE = 16;

/** The words of a boot command that say whether stdin is the runtime's from the start. */
export const ASK = "mop-ask";
export const TAKE = "mop-take";
