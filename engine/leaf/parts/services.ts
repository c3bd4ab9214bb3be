import { service } from "../types/services/service.js";

/** The part "services". */
export const types = { service };
