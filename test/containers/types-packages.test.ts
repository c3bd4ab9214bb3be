import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findEngine } from "./support/engine.js";
import { debRepository, SIGNING_KEY } from "./support/repositories.js";
import { TypesHost } from "./support/types-host.js";

const engine = await findEngine("types");
const OLD = ["apple 1.0", "pear 1.0", "plum 1.0"];
const NEW = ["apple 1.0", "apple 1.1", "apple 2.0", "pear 1.0", "pear 1.5", "plum 1.0"];

/** By the command line; the other managers are tried by states.test.ts. */
describe.skipIf("missing" in engine)(
  `packages and repositories, for real ${"missing" in engine ? `(${engine.missing})` : ""}`,
  () => {
    let host: TypesHost;
    beforeAll(async () => {
      if ("missing" in engine) return;
      host = await TypesHost.start(engine.image, { prepare: SIGNING_KEY });
    });
    afterAll(() => host?.stop());

    const versionOf = async (name: string) =>
      (await host.sh(`cat /opt/${name} 2>/dev/null || echo none`)).trim();

    describe("apt", () => {
      const SOURCE =
        '{ url: "file:///repo/deb", suites: ["trial"], keyUrl: "file:///repo/key.asc", keyChecksum }';
      const withSum = async (body: string) =>
        `const keyChecksum = "${(await host.sh("sha256sum </repo/key.asc")).slice(0, 64)}"; ${body}`;

      test("a repository comes with its key, and its lists are there at once", async () => {
        await host.sh(debRepository(OLD));
        const body = await withSum(`await mop.repository("trial", ${SOURCE});`);
        expect(await host.applyTwice(body)).toEqual(["repository trial: key, source, refresh"]);
        expect(await host.sh("cat /etc/apt/sources.list.d/trial.sources")).toBe(
          "Types: deb\nURIs: file:///repo/deb\nSuites: trial\nComponents: main\nSigned-By: /etc/apt/keyrings/trial.asc\n",
        );
        expect(await host.sh("apt-cache policy apple")).toContain("Candidate: 1.0");
      });

      test("a repository whose lists can't be fetched is taken away again", async () => {
        const run = await host.local(
          'await mop.repository("bad", { url: "file:///repo/none", suites: ["x"], unsigned: true });',
        );
        expect(run.seen.at(-1)?.error).toContain("its lists can't be fetched, so it was taken away again");
        await host.sh("test ! -e /etc/apt/sources.list.d/bad.sources && apt-get update -q");
      });

      test("a list is installed in one transaction, brought up to date, set to a version, removed", async () => {
        await host.sh("rm -f /var/log/apt/history.log");
        expect(await host.applyTwice('await mop.package(["apple", "pear"]);')).toEqual([
          "package apple, pear: install",
        ]);
        expect(await host.sh("grep -c '^Commandline: apt-get install' /var/log/apt/history.log")).toBe("1\n");
        expect([await versionOf("apple"), await versionOf("pear"), await versionOf("plum")]).toEqual([
          "1.0",
          "1.0",
          "none",
        ]);
        await host.sh(`${debRepository(NEW)}; apt-get update -q`);
        expect(
          await host.applyTwice('await mop.package(["apple", "pear", "plum"], { latest: true });'),
        ).toEqual(["package apple, pear, plum: install, upgrade"]);
        expect([await versionOf("apple"), await versionOf("pear")]).toEqual(["2.0", "1.5"]);
        expect(await host.applyTwice('await mop.package("apple", { version: "1.*" });')).toEqual([
          "package apple: version",
        ]);
        expect(await versionOf("apple")).toBe("1.1");
        expect(
          await host.applyTwice('await mop.package(["apple", "pear", "other"], { absent: true });'),
        ).toEqual(["package apple, pear, other: remove"]);
        expect(await versionOf("apple")).toBe("none");
      });

      test("what does not exist is refused by check and run alike", async () => {
        expect(await host.refusal('await mop.package(["apple", "nosuch"]);')).toContain(
          'apt knows no package "nosuch"',
        );
        expect(await host.refusal('await mop.package("apple", { version: "9" });')).toContain(
          "only 2.0, 1.1, 1.0",
        );
      });

      test("updateCache brings lists that know what was added since", async () => {
        await host.sh(debRepository([...NEW, "cherry 3.0"]));
        const body = 'await mop.package("cherry", { updateCache: true });';
        const checked = await host.local(body, "--check");
        expect(checked.seen).toMatchObject([{ status: "changed", changes: ["install"] }]);
        const applied = await host.local(body);
        expect(applied.seen).toMatchObject([{ status: "changed", changes: ["install"] }]);
        expect((await host.local(body)).seen).toMatchObject([{ status: "ok" }]);
        expect(await versionOf("cherry")).toBe("3.0");
        await host.sh("apt-get purge -y -q plum cherry");
      });

      test("a key that does not fit its checksum is refused, and a repository goes with its key", async () => {
        const wrong = `const keyChecksum = "${"0".repeat(64)}"; await mop.repository("other", ${SOURCE});`;
        expect(await host.refusal(wrong)).toContain("has the SHA-256");
        expect(await host.applyTwice('await mop.repository("trial", { absent: true });')).toEqual([
          "repository trial: source, key",
        ]);
        expect(await host.sh("ls /etc/apt/sources.list.d /etc/apt/keyrings")).not.toContain("trial");
      });
    });
  },
);
