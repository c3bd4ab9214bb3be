import { Duplex } from "node:stream";
import { describe, expect, test, vi } from "vitest";
import { bring } from "../../../relay/runtime/bring.js";
import type { BringPort, Command } from "../../../relay/runtime/types.js";

const NONCE = "5eed5eed";
const WANT = `mop-boot:${NONCE}:want linux-x64 2.36 raw\n`;
const NEXT = `mop-boot:${NONCE}:next\n`;
const RUNTIMES = { "linux-x64": { hash: "aa", size: 3, glibc: "2.28", pieces: ["bb"] } };

/** A boot command without a host: what it says comes when a test says so. */
function command() {
  let take = (_chunk: Buffer) => {};
  let end: (status: unknown) => void;
  const written: string[] = [];
  const pipe = new Duplex({
    autoDestroy: false,
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  const exit = new Promise((resolve) => {
    end = resolve;
  });
  const made: Command = {
    pipe,
    exit,
    onStderr(to) {
      take = to;
    },
  };
  return { ...made, written, says: (text: string) => take(Buffer.from(text)), ends: () => end(127) };
}

function bringing(first: Command, more: Partial<BringPort> = {}) {
  const { pipe } = bring(RUNTIMES, {
    first,
    run: () => Promise.reject(new Error("run once more")),
    name: "l1",
    nonce: NONCE,
    held: true,
    piece: async () => Buffer.from("abc"),
    turn: async () => () => {},
    ...more,
  });
  const failure = new Promise<Error>((resolve) => pipe.on("error", resolve));
  return { pipe, failure };
}

const refused = () => Promise.reject(new Error("its file was changed"));

describe("a host that wants a Node and its first piece in one breath", () => {
  test("has it when it is its turn", async () => {
    const first = command();
    const { pipe } = bringing(first);
    first.says(WANT + NEXT);
    await vi.waitFor(() => expect(first.written.join("")).toBe("3 raw\nabc"));
    pipe.destroy();
  });

  test.each<[string, Partial<BringPort>]>([
    ["the piece can't be had", { piece: refused }],
    ["the piece can't be packed", { pack: refused }],
  ])("is told why where %s", async (_why, port) => {
    const first = command();
    const { failure } = bringing(first, port);
    first.says(WANT.replace("raw", "gz") + NEXT);
    expect(await failure).toMatchObject({
      code: "NO_NODE",
      message: "l1: no Node 16 or newer there, and the one to bring can't be had: its file was changed",
    });
  });
});

test("a second command that is there only when the start was given up is ended", async () => {
  const first = command();
  const second = command();
  let run: (command: Command) => void = () => {};
  const { pipe } = bringing(first, {
    held: false,
    run: () =>
      new Promise((resolve) => {
        run = resolve;
      }),
  });
  const asked = vi.waitFor(() => expect(String(run)).toContain("native code"));
  first.says(WANT);
  first.ends();
  await asked;
  pipe.destroy();
  run(second);
  await vi.waitFor(() => expect(second.pipe.destroyed).toBe(true));
});
