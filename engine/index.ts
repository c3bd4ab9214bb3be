/** The package "mop": what policies and programs import. */
export * from "./vocabulary/language.js";
