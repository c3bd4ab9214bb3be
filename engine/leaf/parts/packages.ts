import { packageType } from "../types/packages/package.js";
import { repository } from "../types/packages/repository.js";

/** The part "packages". */
export const types = { package: packageType, repository };
