import { parse as parseYaml } from "yaml";

/** The part "yaml", for hosts that have a fact in YAML. Throws an Error for what is none. */
export const parse = (text: string): unknown => parseYaml(text, { prettyErrors: false });
