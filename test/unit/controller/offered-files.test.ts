import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { PolicyFolder } from "../../../engine/controller/files/folder.js";
import { offeredFiles } from "../../../engine/controller/files/offered-files.js";
import { PolicyError } from "../../../engine/controller/policy-error.js";
import { rejection, tempFolder } from "./temp-folder.js";

const NAMES = { literals: new Set<string>(), patterns: new Set<string>() };

/** A policy's folder with one file, and beside it a folder that is none of the policy's business. */
async function world() {
  const root = await tempFolder({
    "policy/app.conf": "good",
    "policy/sub/part.conf": "part",
    "policy/sub.d/x": "",
    "outside/app.conf": "the operator's own",
    "outside/part.conf": "another of them",
  });
  const policy = path.join(root, "policy");
  return {
    policy,
    outside: path.join(root, "outside"),
    folder: new PolicyFolder(policy),
    offer: (folder: PolicyFolder, ...names: string[]) =>
      offeredFiles(folder, { ...NAMES, literals: new Set(names) }, []),
  };
}

describe("a role's files", () => {
  it("are those below the policy's folder, whatever a name says", async () => {
    const { policy, outside, folder, offer } = await world();
    symlinkSync(path.join(outside, "app.conf"), path.join(policy, "link.conf"));
    symlinkSync(outside, path.join(policy, "linked"));
    symlinkSync("app.conf", path.join(policy, "inner.conf"));
    symlinkSync("loop", path.join(policy, "loop"));
    execFileSync("mkfifo", [path.join(policy, "pipe")]);
    const { files } = await offer(
      folder,
      ...[
        "app.conf",
        "./sub//part.conf",
        "inner.conf",
        "link.conf",
        "linked/app.conf",
        "loop",
        "pipe",
        "sub",
      ],
      ...["../outside/app.conf", "sub/../../outside/app.conf", path.join(outside, "app.conf"), "/etc/passwd"],
      ...["app.conf\0", "app.conf\0.j2", "..", ".", "", "/", "..\\outside\\app.conf", "app.conf/", "missing"],
    );
    expect(Object.keys(files)).toEqual(["app.conf", "inner.conf", "sub/part.conf"]);
  });

  it.each<[string, (policy: string, outside: string) => void]>([
    [
      "a link in the file's place",
      (policy, outside) => {
        rmSync(path.join(policy, "sub/part.conf"));
        symlinkSync(path.join(outside, "part.conf"), path.join(policy, "sub/part.conf"));
      },
    ],
    [
      "a link in its folder's place",
      (policy, outside) => {
        renameSync(path.join(policy, "sub"), path.join(policy, "was"));
        symlinkSync(outside, path.join(policy, "sub"));
      },
    ],
    [
      "a pipe in the file's place, which would never end",
      (policy) => {
        rmSync(path.join(policy, "sub/part.conf"));
        execFileSync("mkfifo", [path.join(policy, "sub/part.conf")]);
      },
    ],
    ["nothing there any more", (policy) => rmSync(path.join(policy, "sub/part.conf"))],
  ])("are never another one, when %s is found after the look at its path", async (_what, swap) => {
    const { policy, outside, folder, offer } = await world();
    // Between the look and the opening
    class Swapped extends PolicyFolder {
      override async find(text: string) {
        const found = await folder.find(text);
        swap(policy, outside);
        return found;
      }
    }
    const error = await rejection(offer(new Swapped(policy), "sub/part.conf"));
    expect(error).toBeInstanceOf(PolicyError);
    expect(error.message).toContain("changed while it was read");

    // The same between the offer and a host's question
    mkdirSync(path.join(policy, "two"));
    writeFileSync(path.join(policy, "two/part.conf"), "part");
    const { blobs } = await offer(folder, "two/part.conf");
    expect(Buffer.from(await blobs[0]!.read()).toString()).toBe("part");
    rmSync(path.join(policy, "sub"), { recursive: true });
    renameSync(path.join(policy, "two"), path.join(policy, "sub"));
    rmSync(path.join(policy, "was"), { recursive: true, force: true });
    const again = await offer(folder, "sub/part.conf");
    swap(policy, outside);
    expect(await rejection(again.blobs[0]!.read())).toMatchObject({ code: "BLOB_UNAVAILABLE" });
  });
});
