import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PLATFORMS } from "../../../engine/controller/runtimes/platforms.js";
import { bootCommand } from "../../../relay/boot/command.js";
import { FIRST_STAGE } from "../../../relay/boot/first-stage.js";
import { createMarkerScan, NOISE_MAX, quote } from "../../../relay/boot/noise.js";
import { ASK, TAKE } from "../../../relay/boot/runtime-words.js";

const plain = {
  node: "",
  nonce: "c0ffee",
  size: 10,
  hash: "ab",
  title: "mop relay of alice@laptop, run 3f2a",
};

describe("bootCommand()", () => {
  test("holds nothing that any login shell expands inside single quotes", () => {
    fc.assert(
      fc.property(fc.string(), (title) => {
        const command = bootCommand({ ...plain, title });
        expect(command.split("'").length % 2).toBe(1);
        expect(command).not.toMatch(/[\\!\n\r\0]/);
        const outside = command.split("'").filter((_, index) => index % 2 === 0);
        expect(outside.join("")).toMatch(/^exec sh -c +$/);
      }),
    );
  });

  test("the first stage holds no single quote, backslash, exclamation mark or line break", () => {
    expect(FIRST_STAGE).not.toMatch(/['\\!\n\r]/);
  });

  test.each([undefined, { method: "sudo", user: "root" }] as const)(
    "with a Node to bring it holds to the same, and stays below half of what a relay takes (become: %j)",
    (become) => {
      const runtimes = Object.fromEntries(PLATFORMS.map((platform) => [platform, { hash: "f".repeat(64) }]));
      const command = bootCommand({ ...plain, runtimes, become });
      expect(command).not.toMatch(/[\\!\n\r\0]/);
      const outside = command.split("'").filter((_, index) => index % 2 === 0);
      expect(outside.join("")).toMatch(/^exec sh -c +$/);
      expect(command.length).toBeLessThan(8192);
      expect(command.includes(`'${become ? TAKE : ASK}'`)).toBe(true);
    },
  );

  test("stays below 3 kB, since it is sent for every host", () => {
    expect(bootCommand(plain).length).toBeLessThan(3000);
  });

  test.each(["/opt/it's/node", "/opt/a\\b", "-e", "/opt/wow!/node", "/x\ny"])(
    "refuses %j as path of Node",
    (node) => {
      expect(() => bootCommand({ ...plain, node })).toThrow(/mop_node/);
    },
  );
});

describe("createMarkerScan()", () => {
  test("finds the marker however the stream is cut, and gives back exactly what follows", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ maxLength: 100 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (before, after, cuts) => {
          const scan = createMarkerScan("mop-boot:1234;");
          const all = Buffer.concat([before, Buffer.from("mop-boot:1234;"), after]);
          const got: Buffer[] = [];
          for (let at = 0, k = 0; at < all.length; k++) {
            const n = cuts[k % cuts.length]!;
            const rest = scan.take(all.subarray(at, at + n));
            if (rest) got.push(Buffer.from(rest));
            at += n;
          }
          expect(scan.found).toBe(true);
          expect(Buffer.concat(got)).toEqual(Buffer.from(after));
          expect(scan.noise).toEqual(Buffer.from(before));
        },
      ),
    );
  });

  test("reports an overrun past 64 kB of noise", () => {
    const scan = createMarkerScan("mop-boot:1234;");
    scan.take(Buffer.alloc(NOISE_MAX));
    expect(scan.overrun).toBe(false);
    scan.take(Buffer.alloc(100));
    expect(scan.overrun).toBe(true);
    expect(scan.noise.length).toBeLessThan(4096);
  });
});

test("quote() leaves nothing that a terminal acts on", () => {
  const quoted = quote("\u001b]0;owned\u0007\r\n second\u202etxt \u009b31m ");
  expect(quoted).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  expect(quoted).toContain("\\x1b]0;owned\\x07 / second\\x202etxt");
});
