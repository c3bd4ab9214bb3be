import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ACCOUNTS, GROUPS, HASH, OTHER, USERS } from "../states/tables/accounts.js";
import { newKey } from "../unit/leaf/types/accounts/hosts.js";
import { findEngine } from "./support/engine.js";
import { LocalHost, resourcesOf } from "./support/local-host.js";

const engine = await findEngine();

const [A, B] = [newKey(), newKey()];

describe.skipIf("missing" in engine)(
  `accounts of a real Debian ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let host: LocalHost;
    beforeAll(async () => {
      if (!("missing" in engine)) host = await LocalHost.start(engine.image);
    });
    afterAll(() => host?.stop());

    /** Checks, applies, and applies again: the check said it to the last word, and twice changes nothing. */
    const settle = async (main: string): Promise<string[]> => {
      const before = await host.sh("cat /etc/passwd /etc/group /etc/shadow; ls -lA --full-time /home /srv");
      const checked = await host.role(main, ["--check", "--diff"]);
      expect(await host.sh("cat /etc/passwd /etc/group /etc/shadow; ls -lA --full-time /home /srv")).toBe(
        before,
      );
      const applied = await host.role(main, ["--diff"]);
      expect(resourcesOf(applied).filter(({ status }) => status === "failed")).toEqual([]);
      expect(resourcesOf(checked)).toEqual(resourcesOf(applied));
      const again = resourcesOf(await host.role(main));
      expect(again.filter(({ status }) => status !== "ok")).toEqual([]);
      for (const run of [checked, applied]) {
        expect(run.stdout).not.toContain(HASH.slice(-20));
        expect(run.stdout).not.toContain(OTHER.slice(-20));
      }
      return resourcesOf(applied).map(({ type, name, changes }) => `${type} ${name}: ${changes.join(" ")}`);
    };
    const passwd = (name: string) => host.sh(`getent passwd ${name}`);
    const shadow = (name: string, field: number) => host.sh(`getent shadow ${name} | cut -d: -f${field}`);

    test("new accounts get every attribute, and later resources of a check know them", async () => {
      const done = await settle(`
        await group("ops", { gid: 1800 });
        await group("syst", { system: true });
        await user("plain");
        await user("svc", { system: true, shell: "/usr/sbin/nologin", home: "/var/lib/svc" });
        await user("full", {
          uid: 1500, group: "ops", groups: ["syst", "adm"], append: true, home: "/srv/deep/full", shell: "/bin/bash",
          comment: "Full Name, Room 1", password: ${JSON.stringify(HASH)}, locked: false, expires: "2027-12-31",
        });
        await user("keys", { uid: 1501, locked: false });
        await user("shut", { uid: 1502, password: ${JSON.stringify(HASH)}, locked: true });
        await group("team", { gid: 1801, members: ["full", "keys"] });
        await file("/srv/owned", { content: "x", owner: "full", group: "team" });
        await authorizedKey("keys", { key: "${A} one", options: "no-pty" });
        await knownHost("git.example.org", { user: "keys", key: "${B}", hash: true });
        await knownHost("git.example.org", { key: "${B}" });
      `);
      expect(done).toEqual([
        ...[
          "group ops: create",
          "group syst: create",
          "user plain: create",
          "user svc: create",
          "user full: create",
        ],
        ...["user keys: create", "user shut: create", "group team: create", "file /srv/owned: create"],
        ...[
          "authorizedKey keys: add folder",
          "knownHost git.example.org: add",
          "knownHost git.example.org: add",
        ],
      ]);
      expect(await passwd("full")).toBe("full:x:1500:1800:Full Name, Room 1:/srv/deep/full:/bin/bash");
      expect(await host.sh("id -nG full; stat -c %U:%G /srv/owned /srv/deep/full")).toBe(
        "ops adm syst team\nfull:team\nfull:ops",
      );
      expect([await shadow("full", 2), await shadow("full", 8)]).toEqual([HASH, "21183"]);
      expect([await shadow("keys", 2), await shadow("shut", 2)]).toEqual(["*", `!${HASH}`]);
      expect(await passwd("plain")).toMatch(/^plain:x:\d{4,5}:\d{4,5}::\/home\/plain:/);
      expect(await passwd("svc")).toMatch(/^svc:x:\d{3}:\d{3}::\/var\/lib\/svc:\/usr\/sbin\/nologin$/);
      expect(await host.sh("ls -d /home/plain /var/lib/svc 2>&1 || true")).toContain(
        "cannot access '/var/lib/svc'",
      );
      expect(await host.sh("stat -c '%a %U:%G' /home/keys/.ssh /home/keys/.ssh/*")).toBe(
        "700 keys:keys\n600 keys:keys\n600 keys:keys",
      );
      expect(await host.sh("cat /home/keys/.ssh/authorized_keys")).toBe(`no-pty ${A} one`);
      // ssh itself finds the name that mop hashed.
      expect(await host.sh("ssh-keygen -F git.example.org -f /home/keys/.ssh/known_hosts")).toContain(
        B.split(" ")[1],
      );
    });

    test("existing accounts change in every attribute", async () => {
      await host.sh("echo mine >/srv/deep/full/note; chown full:ops /srv/deep/full/note; rm -r /home/plain");
      const done = await settle(`
        await group("syst", { gid: 1900 });
        await group("team", { members: ["plain", "shut"], append: true });
        await user("full", {
          uid: 1600, group: "team", groups: ["ops"], home: "/home/full", moveHome: true, shell: "/bin/sh",
          comment: "", password: ${JSON.stringify(OTHER)}, locked: true, expires: "never",
        });
        await user("keys", { groups: ["adm"], append: true, expires: "2030-01-01" });
        await user("keys", { groups: ["syst"], append: true });
        await user("shut", { locked: false });
        await user("plain", { createHome: true, password: ${JSON.stringify(HASH)} });
        await user("svc", { home: "/srv/svc", createHome: true, groups: [] });
        await authorizedKey("full", { key: "${A}" });
        await authorizedKey("keys", { key: "${B}", exclusive: true });
        await knownHost("git.example.org", { user: "keys", key: "${A}" });
      `);
      expect(done).toEqual([
        ...["group syst: gid", "group team: members"],
        "user full: uid group home groups shell comment expires password locked",
        ...[
          "user keys: groups expires",
          "user keys: groups",
          "user shut: locked",
          "user plain: createHome password",
        ],
        ...["user svc: home createHome", "authorizedKey full: add folder", "authorizedKey keys: add remove"],
        "knownHost git.example.org: update",
      ]);
      expect(await passwd("full")).toBe("full:x:1600:1801::/home/full:/bin/sh");
      expect(await host.sh("id -nG full; id -nG keys; ls /srv/deep; stat -c %U:%G /home/full/note")).toBe(
        "team ops\nkeys adm syst team\nfull:team",
      );
      expect([await shadow("full", 2), await shadow("full", 8)]).toEqual([`!${OTHER}`, ""]);
      expect([await shadow("shut", 2), await shadow("plain", 2), await shadow("keys", 8)]).toEqual([
        HASH,
        HASH,
        "21915",
      ]);
      expect(await host.sh("stat -c '%U:%G %a' /home/plain /srv/svc; ls -A /home/plain")).toContain(
        "plain:plain 755\nsvc:svc 755\n.bash_logout",
      );
    });

    test("accounts, keys and groups go, with the home where it is asked for", async () => {
      const done = await settle(`
        await authorizedKey("full", { key: "${A}", absent: true });
        await knownHost("git.example.org", { absent: true });
        await user("full", { absent: true, removeHome: true });
        await user("keys", { absent: true });
        await group("team", { absent: true });
      `);
      expect(done).toEqual([
        ...["authorizedKey full: remove", "knownHost git.example.org: remove", "user full: remove"],
        ...["user keys: remove", "group team: remove"],
      ]);
      expect(await host.sh("getent passwd keys || getent group team keys || ls -d /home/*")).toContain(
        "/home/keys",
      );
    });

    test("a check knows what it planned to remove, and what a command may have made", async () => {
      const planned = await host.role(
        `
        await user("shut", { absent: true });
        await user("shut", { uid: 1700, groups: ["ops"] });
        await file("/srv/theirs", { content: "x", owner: "shut" });
        await shell("useradd later");
        await file("/srv/owned", { owner: "later" });
        await authorizedKey("later", { key: "${A}" });
      `,
        ["--check", "--diff"],
      );
      expect(resourcesOf(planned).map(({ type, changes }) => `${type}: ${changes.join(" ")}`)).toEqual([
        ...[
          "user: remove",
          "user: create",
          "file: create",
          "shell: run",
          "file: owner",
          "authorizedKey: add",
        ],
      ]);
      expect(resourcesOf(planned)[4]?.diff).toContain("-> later\n");
    });

    test("20 prepared users and 20 prepared groups become what their check said", async () => {
      await host.sh(ACCOUNTS);
      const calls = (type: string, table: Readonly<Record<string, object>>) =>
        Object.entries(table).map(
          ([name, options]) => `await ${type}("${name}", ${JSON.stringify(options)});`,
        );
      const done = await settle([...calls("user", USERS), ...calls("group", GROUPS)].join("\n"));
      expect(done.filter((line) => line.startsWith("user ")).map((line) => line.slice(5))).toEqual([
        ...["u1: uid", "u2: group", "u3: uid group", "u4: groups", "u5: groups", "u6: groups", "u7: groups"],
        ...["u8: home", "u9: uid home", "u10: locked", "u11: password", "u12: shell password", "u13: locked"],
        ...[
          "u14: expires",
          "u15: expires",
          "u16: createHome",
          "u17: comment",
          "u18: group groups shell comment",
        ],
        ...["u19: remove", "u20: remove"],
      ]);
      expect(done.filter((line) => line.startsWith("group ")).map((line) => line.slice(6))).toEqual([
        ...["h1: gid", "h2: members", "h3: gid members", "h4: ", "h5: members", "h6: members", "h7: members"],
        ...["h8: ", "h9: remove", "h10: ", "h11: ", "g1: gid", "g2: remove", "n1: create", "n2: create"],
        ...["n3: create", "n4: ", "n5: create", "extra: gid", "more: members"],
      ]);
      expect(
        await host.sh(
          "id -g u18 && id -nG u5 && ls -d /home/u19 /srv/u9 /home/u16 && grep -c ^g19: /etc/group",
        ),
      ).toBe("2900\ng5\n/home/u16\n/home/u19\n/srv/u9\n1");
    });

    test("an administrator's facts of every kind reach roles and mop facts, and a broken one is told", async () => {
      await host.sh(`mkdir -p /etc/mop/facts.d /etc/opsmop/facts.d && cd /etc/mop/facts.d
        echo '{"row": 3}' >rack.json && echo 'name = "north"' >site.toml
        echo 'team: [a, b]' >people.yaml && echo 'old: true' >/etc/opsmop/facts.d/site.yml
        printf '#!/bin/sh\\necho "[1, 2]"\\n' >/etc/opsmop/facts.d/list && chmod 755 /etc/opsmop/facts.d/list`);
      const custom = {
        rack: { row: 3 },
        site: { name: "north" },
        people: { team: ["a", "b"] },
        list: [1, 2],
      };
      const run = await host.role(
        "await echo(JSON.stringify([await facts.custom(), await facts.virtualization(), facts.file !== undefined]));",
        [],
        ["facts"],
      );
      const [text] = run.events.flatMap((event) => (event.event === "output" ? [event.text] : []));
      expect(JSON.parse(text ?? "")).toEqual([custom, { kind: "container", name: "docker" }, true]);
      const [printed] = (await host.mop("facts", "--local", "custom", "-o", "json"))
        .split("\n")
        .filter((line) => line.startsWith('{"event":"facts"'));
      expect(JSON.parse(printed ?? "")).toEqual({ event: "facts", host: "localhost", facts: { custom } });
      await host.sh("echo '{' >/etc/mop/facts.d/bad.json");
      const broken = await host.mop("facts", "--local", "kernel", "custom", "-o", "json");
      expect(broken).toContain('"event":"facts"');
      expect(broken).toContain("the fact /etc/mop/facts.d/bad.json is not what its kind asks for");
    });
  },
);
