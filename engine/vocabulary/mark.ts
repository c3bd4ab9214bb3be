/** Marks what policies define as plain data, so that another copy of this package than the one that reads it may. */
export const MARK = "mop:kind";
