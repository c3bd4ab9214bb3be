/** What any inventory source returns: the structure of inventory.toml (interface.md, section 2). */
export type HostVars = string | { readonly [name: string]: unknown };

export interface RawInventory {
  readonly groups?: {
    readonly [group: string]: {
      readonly hosts?: { readonly [host: string]: HostVars };
      readonly vars?: { readonly [name: string]: unknown };
      /** Groups whose hosts belong to this one too */
      readonly groups?: readonly string[];
    };
  };
  readonly hosts?: { readonly [host: string]: { readonly vars?: { readonly [name: string]: unknown } } };
}
