import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { bootOverPipe } from "../../../relay/boot/boot.js";
import { heldUp } from "../../support/held-up.js";

test("a node that talks on stderr without end has 64 kB of it passed on, and no more", async () => {
  const lines: string[] = [];
  const stdio = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const boot = bootOverPipe(stdio, {
    name: "l1",
    nonce: "5eed",
    core: Buffer.from("core"),
    timeoutMs: 10_000,
    onLine: (line) => lines.push(line),
  });
  stdio.push("mop-boot:5eed;first frame");
  await boot.booted;
  boot.stderr(Buffer.from("one line\n\nanother "));
  boot.stderr(Buffer.from("line\n"));
  expect(lines).toEqual(["one line", "another line"]);
  for (let i = 0; i < 2000; i++) boot.stderr(Buffer.from(`${"x\n".repeat(500)}${"y".repeat(3000)}\n`));
  expect(lines.join("").length).toBeLessThan(64 * 1024);
  expect(lines.length).toBeLessThan(4096);
  expect(lines.at(-1)).toMatch(/left out/);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(1000);
  boot.pipe.on("error", () => {}).destroy();
});

test("last words on stderr are read before the end is told, though the process was held up for longer than they are waited for", async () => {
  const stdio = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const core = Buffer.from("core");
  const boot = bootOverPipe(stdio, { name: "l1", nonce: "5eed", core, timeoutMs: 10_000 });
  boot.pipe.on("error", () => {});
  const end = () => void stdio.emit("error", new Error("write EPIPE"));
  await heldUp(500, end, "mop-boot:5eed:none:, node nodejs;", (bytes) => boot.stderr(bytes));
  await expect(boot.booted).rejects.toMatchObject({ code: "NO_NODE" });
});
