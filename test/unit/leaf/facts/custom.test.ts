import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { customFacts } from "../../../../engine/leaf/facts/custom.js";
import { Children } from "../../../../engine/leaf/process/children.js";
import { execute } from "../../../../engine/leaf/process/execute.js";

let first: string;
let second: string;
const asked: string[] = [];
beforeEach(async () => {
  first = await mkdtemp(path.join(os.tmpdir(), "mop-facts-"));
  second = await mkdtemp(path.join(os.tmpdir(), "mop-facts-"));
  asked.length = 0;
});
afterEach(async () => {
  for (const folder of [first, second]) await rm(folder, { recursive: true });
});

const children = new Children({ childStarted: () => undefined, childEnded: () => undefined });
const { signal } = new AbortController();
const gather = (...folders: string[]) =>
  customFacts(
    {
      signal,
      exec: (program, args, options) => execute(children, signal, program, args, options),
      part(name) {
        asked.push(name);
        return import(`../../../../engine/leaf/parts/${name}.ts`);
      },
    },
    folders.length > 0 ? folders : [first, second],
  );
const put = async (folder: string, name: string, text: string, mode = 0o644) => {
  await writeFile(path.join(folder, name), text);
  await chmod(path.join(folder, name), mode);
};

test("JSON, TOML, YAML and programs are facts of their names", async () => {
  await put(first, "rack.json", `{"row": 3, "unit": [1, 2]}`);
  await put(
    first,
    "site.toml",
    `name = "north"\nsince = 2020-05-01\nbig = 12\nodd = [inf, nan]\n[contact]\nmail = "a@b"\n`,
  );
  await put(first, "team.yaml", "- alice\n- bob: {on: call}\n");
  await put(first, "more.yml", "x: 1\n");
  await put(first, "load", `#!/bin/sh\necho '{"one": 1, "lang": "'$LC_ALL'"}'\n`, 0o755);
  await put(first, "by-name.sh", "#!/bin/sh\necho null\n", 0o755);
  expect(await gather()).toEqual({
    rack: { row: 3, unit: [1, 2] },
    site: {
      name: "north",
      since: expect.stringMatching(/^2020-05-01/),
      big: 12,
      odd: [null, null],
      contact: { mail: "a@b" },
    },
    team: ["alice", { bob: { on: "call" } }],
    more: { x: 1 },
    load: { one: 1, lang: "C" },
    "by-name": null,
  });
});

test("the parsers of TOML and YAML come only where such a file is", async () => {
  await put(first, "rack.json", "{}");
  await gather();
  expect(asked).toEqual([]);
  await put(first, "site.toml", "a = 1");
  await gather();
  expect(asked).toEqual(["toml"]);
});

test("the first folder wins over the second, fact by fact", async () => {
  await put(first, "a.json", "1");
  await put(second, "a.yaml", "2");
  await put(second, "b.json", "3");
  expect(await gather()).toEqual({ a: 1, b: 3 });
});

test("no folder is no fact, and what is none in a folder is left out", async () => {
  expect(await gather("/nowhere/facts.d")).toEqual({});
  await put(first, "README", "text");
  await put(first, ".a.json.swp", "{");
  await put(first, "b.json~", "{", 0o755);
  await put(first, "c.dpkg-old", "{", 0o755);
  expect(await gather()).toEqual({});
});

test("a folder that others may write in is refused", async () => {
  await put(first, "a.json", "1");
  await chmod(first, 0o777);
  await expect(gather()).rejects.toThrow(`${first} can be written by others than root and this user`);
});

test.each([
  ["broken.json", "{", 0o644, "is not what its kind asks for: "],
  ["broken.toml", "a = ", 0o644, "is not what its kind asks for: "],
  ["broken.yaml", "a: [", 0o644, "is not what its kind asks for: "],
  ["words", "#!/bin/sh\necho words\n", 0o755, "is not what its kind asks for: "],
  ["fails", "#!/bin/sh\necho sad >&2; exit 3\n", 0o755, "ended with status 3: sad"],
  ["open.json", "{}", 0o646, "can be written by others than root and this user"],
  ["open", "#!/bin/sh\necho 1", 0o757, "can be written by others than root and this user"],
])("%s is refused by its name", async (name, text, mode, error) => {
  await put(first, name, text, mode);
  await expect(gather()).rejects.toThrow(error);
  await expect(gather()).rejects.toThrow(path.join(first, name));
});
