import { Session } from "node:inspector";
import { fileURLToPath } from "node:url";
import { MopError } from "../../../transport/errors.js";

// biome-ignore lint/complexity/noBannedTypes: any function of the user's
export type AnyFunction = Function;

/** A function by the module that exports it. */
export interface FunctionHome {
  /** Absolute path */
  readonly file: string;
  /** Name under which the module exports it */
  readonly name: string;
}

/** A module that waits for us itself (a call at its top) never finishes loading; its exports are known by name then. */
const SELF_IMPORT_MS = 250;

/**
 * The module that exports a function: V8 says in which file it was defined, and that file's exports which one it is.
 * Throws BAD_ARGUMENT for what is no export of a module file: closures, methods, bound and native functions.
 */
export async function findFunction(fn: AnyFunction): Promise<FunctionHome> {
  const shown = fn.name === "" ? "the function" : fn.name;
  const refuse = (why: string) =>
    new MopError(
      "BAD_ARGUMENT",
      `${shown} can't be called on a host: ${why}; give a function that a module file exports`,
    );
  const url = definedIn(fn);
  if (url === undefined) throw refuse("it was defined in no file");
  const file = url.startsWith("file:") ? fileURLToPath(stripQuery(url)) : stripQuery(url);
  const exports = await exportsOf(url);
  if (exports === undefined) {
    if (/^[A-Za-z_$][\w$]*$/.test(fn.name)) return { file, name: fn.name };
    throw refuse(`it has no name, and ${file} is still being loaded`);
  }
  const name = Object.keys(exports).find((key) => exports[key] === fn);
  if (name === undefined) throw refuse(`${file} does not export it`);
  return { file, name };
}

const stripQuery = (url: string): string => url.replace(/[?#].*$/, "");

/** The namespace of a module that is loaded already; undefined while it still waits for something at its top. */
async function exportsOf(url: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, SELF_IMPORT_MS, undefined);
  });
  try {
    return await Promise.race([import(url) as Promise<Record<string, unknown>>, late]);
  } catch {
    return {};
  } finally {
    clearTimeout(timer);
  }
}

/** URL or path of the script that defined a function, as V8 knows it. */
function definedIn(fn: AnyFunction): string | undefined {
  const session = new Session();
  session.connect();
  // The one way to hand an object to the inspector; gone again before anything else runs.
  const slot = `mop:function:${process.hrtime.bigint()}`;
  Object.defineProperty(globalThis, slot, { value: fn, configurable: true });
  try {
    const scripts = new Map<string, string>();
    session.on("Debugger.scriptParsed", ({ params }) => void scripts.set(params.scriptId, params.url));
    session.post("Debugger.enable");
    let script: string | undefined;
    session.post(
      "Runtime.evaluate",
      { expression: `globalThis[${JSON.stringify(slot)}]` },
      (failed, evaluated) => {
        const objectId = failed ? undefined : evaluated.result.objectId;
        if (objectId === undefined) return;
        session.post("Runtime.getProperties", { objectId, ownProperties: true }, (error, found) => {
          const place = error
            ? undefined
            : found.internalProperties?.find((property) => property.name === "[[FunctionLocation]]");
          const location = place?.value?.value as { scriptId?: string } | undefined;
          if (location?.scriptId !== undefined) script = scripts.get(location.scriptId);
        });
      },
    );
    return script === undefined || script === "" || script.startsWith("node:") ? undefined : script;
  } finally {
    Reflect.deleteProperty(globalThis, slot);
    session.disconnect();
  }
}
