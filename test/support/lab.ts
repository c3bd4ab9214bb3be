/** The embedded lab and its slow link, as the demo uses them. */
export { createDelayProxy, type DelayProxy, type DelayProxyOptions } from "../../cli/lab/delay-proxy.js";
export type { LabHost, LabHostQuirks } from "../../cli/lab/host.js";
export { createLab, type Lab, type LabHostOptions, type LabOptions } from "../../cli/lab/lab.js";
