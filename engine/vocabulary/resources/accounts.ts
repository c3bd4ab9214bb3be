import type { CommonOptions, ProviderOptions, Result } from "./common.js";

export interface UserOptions extends CommonOptions, ProviderOptions {
  /** Numeric id. Default for a new account: the host chooses. Files in the home change hands with it */
  uid?: number;
  /** Primary group, by name or id. Default for a new account: a group of its own with the user's name */
  group?: string | number;
  /** Supplementary groups: exactly these, or these too with `append`; `[]` for none. They must exist */
  groups?: readonly string[];
  /** The account stays in other groups than `groups` as well. Default false */
  append?: boolean;
  /** Home folder, an absolute path. Default for a new account: the host's usual place (/home/NAME) */
  home?: string;
  /**
   * Make the home folder, from /etc/skel, where it is missing. Default: for new accounts that are no system accounts;
   * true: for an existing account too
   */
  createHome?: boolean;
  /** Where `home` changes, what is in the old one moves along. Default false: the account points elsewhere, no more */
  moveHome?: boolean;
  /** Login shell, an absolute path; /usr/sbin/nologin for accounts that nobody logs in to */
  shell?: string;
  /** The full name, or what the account is for (the GECOS field) */
  comment?: string;
  /** A system account: an id below the users' ones and no home. Decides when the account is made, not later */
  system?: boolean;
  /**
   * The password as a hash as /etc/shadow has it (`openssl passwd -6`, `mkpasswd`), never the password itself; "*" for
   * none. Neither shown in a diff nor handed to a program as an argument
   */
  password?: string;
  /** An existing account keeps the password that it has. Default false */
  keepPassword?: boolean;
  /** Nobody can log in with the password (keys still work where PAM is in use). false takes the lock off */
  locked?: boolean;
  /** Day from which the account can't be used, as "2027-12-31", or "never" */
  expires?: string;
  /** There is no such account */
  absent?: boolean;
  /** With `absent`: its home folder and mail spool go too. Default false */
  removeHome?: boolean;
}

export interface GroupOptions extends CommonOptions, ProviderOptions {
  /** Numeric id. Default for a new group: the host chooses */
  gid?: number;
  /** A system group: an id below the users' ones. Decides when the group is made, not later */
  system?: boolean;
  /** Users that have it as a supplementary group: exactly these, or these too with `append`; `[]` for none */
  members?: readonly string[];
  /** Other members than `members` stay. Default false */
  append?: boolean;
  /** There is no such group */
  absent?: boolean;
}

export interface AuthorizedKeyOptions extends CommonOptions {
  /** Public keys, each as in a .pub file: "ssh-ed25519 AAAA... alice@laptop"; options in front are taken as well */
  key?: string | readonly string[];
  /**
   * What stands in front of the keys: `restrict,command="/usr/bin/backup"`, or a list of such. Default: options of an
   * entry that exists are left alone; "" for none
   */
  options?: string | readonly string[];
  /** Comment behind the keys. Default: the one in `key`; where there is none, that of an existing entry stays */
  comment?: string;
  /** The file. Default: .ssh/authorized_keys in the user's home; its folder is made then (0700) */
  path?: string;
  /** No other keys may be in the file; comments stay. Default false */
  exclusive?: boolean;
  /** These keys are not in the file */
  absent?: boolean;
}

export interface KnownHostOptions extends CommonOptions {
  /** The host's public keys: "ssh-ed25519 AAAA...", as `ssh-keyscan` prints them behind the name. With `absent` optional */
  key?: string | readonly string[];
  /** The file. Default: /etc/ssh/ssh_known_hosts, which is for all users */
  path?: string;
  /** Instead of `path`: .ssh/known_hosts in this user's home; its folder is made then (0700) */
  user?: string;
  /** New entries hide the name in a hash, as HashKnownHosts does. Default false */
  hash?: boolean;
  /** No other keys of this host may be in the file. Default false: keys of other kinds stay */
  exclusive?: boolean;
  /** The host is not in the file, or these keys of it are not */
  absent?: boolean;
}

export interface AccountFunctions {
  /**
   * A user account of the host, with every attribute that is named, whether the account is new or exists already.
   * What is not named stays as it is. Providers: shadow-utils (useradd, usermod), busybox (adduser; Alpine). Root only.
   *
   * Changes: "create", or "uid", "group", "home", "groups", "createHome", "shell", "comment", "expires", "password",
   * "locked"; "remove".
   *
   * @example
   * await user("deploy", { groups: ["www-data"], append: true, shell: "/bin/bash", locked: true });
   * await user("old", { absent: true, removeHome: true });
   */
  user(name: string, options?: UserOptions): Promise<Result>;
  /**
   * A group of the host and, where it is named, who is in it. Root only. Changes: "create", or "gid", "members";
   * "remove".
   *
   * @example
   * await group("backup-operators", { gid: 1600, members: ["alice", "bob"] });
   */
  group(name: string, options?: GroupOptions): Promise<Result>;
  /**
   * Who may log in as a user by key: entries of the user's authorized_keys. Other lines stay as they are, the file gets
   * the mode 0600 and belongs to the user. Keys are compared by themselves, not by their comments.
   *
   * Changes: "add", "update", "remove"; "folder", "owner", "group", "mode".
   *
   * @example
   * await authorizedKey("deploy", {
   *   key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ ci",
   *   options: 'restrict,command="/usr/local/bin/deploy"',
   * });
   */
  authorizedKey(user: string, options: AuthorizedKeyOptions): Promise<Result>;
  /**
   * The public keys by which this host knows another one, in a known_hosts file. The name is as ssh looks it up:
   * "git.example.org", "[git.example.org]:2222" for another port, an address. Entries with hashed names are recognised;
   * a key of the same kind that differs is replaced; "@revoked" and "@cert-authority" lines stay.
   *
   * Changes: "add", "update", "remove"; "folder", "owner", "group", "mode".
   *
   * @example
   * await knownHost("git.example.org", {
   *   key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ",
   * });
   */
  knownHost(name: string, options: KnownHostOptions): Promise<Result>;
}
