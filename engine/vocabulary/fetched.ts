/** Where `fetch` brings files to unless it is told otherwise. */
export const FETCHED = "fetched";

/** A host's name as the name of a folder. */
export function hostFolder(host: string): string {
  const name = encodeURIComponent(host);
  return /^\.+$/.test(name) ? name.replace(/\./g, "%2E") : name;
}
