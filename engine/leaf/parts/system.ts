import { cron } from "../types/system/cron.js";
import { hostname } from "../types/system/hostname.js";
import { kernelModule } from "../types/system/kernel-module.js";
import { mount } from "../types/system/mount.js";
import { sysctl } from "../types/system/sysctl.js";

/** The part "system". */
export const types = { cron, hostname, kernelModule, mount, sysctl };
