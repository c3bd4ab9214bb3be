import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeSessionState, encodeSessionState, wipeSessionState } from "../../../relay/session/state.js";
import { MopError } from "../../../transport/errors.js";
import type { Value } from "../../../transport/types.js";
import { mutate, seeded } from "../../support/session-mutations.js";
import { createPeer, freshState, SUITES, settle } from "../../support/session-peer.js";

type Tree = { [key: string]: Value | undefined };
const refused = expect.objectContaining({ code: "HANDOFF_REFUSED" });

describe("a session's state", () => {
  it.each(SUITES)("comes out of its encoding as it went in (%s %s)", (cipher, mac) => {
    const state = freshState([cipher, mac]);
    expect(decodeSessionState(encodeSessionState(state))).toEqual({
      ...state,
      outbound: plain(state.outbound),
      inbound: plain(state.inbound),
      rekey: plain(state.rekey),
    });
  });

  it("is copied out of the message, so that wiping one leaves the other", () => {
    const state = freshState();
    const decoded = decodeSessionState(encodeSessionState(state));
    wipeSessionState(state);
    expect(Buffer.from(decoded.outbound.key).every((byte) => byte === 0)).toBe(false);
    expect(Buffer.from(state.outbound.key).every((byte) => byte === 0)).toBe(true);
  });

  const paths = [
    ...["version", "outbound", "inbound", "rekey", "consumed", "phase"],
    ...["cipher", "key", "iv", "mac", "macKey", "sequence", "bytes"].map((name) => `inbound.${name}`),
    ...["sessionId", "clientIdent", "serverIdent", "hostKey", "kex", "hostKeyAlgorithm", "strict"].map(
      (name) => `rekey.${name}`,
    ),
  ];
  it.each(paths)("is refused without %s, or with anything else there, and the refusal names it", (path) => {
    const wrong: Value[] = [
      {},
      [],
      -1,
      1.5,
      2 ** 53,
      "aes128-cbc",
      new Uint8Array(5000),
      "",
      new Uint8Array(0),
    ];
    for (const value of [undefined, ...wrong]) {
      const state = encodeSessionState(freshState(["aes256-ctr", "hmac-sha2-512-etm@openssh.com"])) as Tree;
      const [outer, inner] = path.split(".") as [string, string?];
      if (inner) (state[outer] as Tree)[inner] = value;
      else state[outer] = value;
      expect(() => decodeSessionState(state)).toThrow(refused);
      expect(() => decodeSessionState(state)).toThrow(path);
    }
  });

  it("is refused where keys don't have their cipher's lengths", () => {
    fc.assert(
      fc.property(fc.constantFrom(...SUITES), fc.integer({ min: 0, max: 70 }), (suite, length) => {
        for (const name of ["key", "iv", "macKey"] as const) {
          const state = encodeSessionState(freshState(suite)) as Tree;
          const outbound = state.outbound as Tree;
          if ((outbound[name] as Uint8Array | null)?.length === length) continue;
          outbound[name] = new Uint8Array(length);
          expect(() => decodeSessionState(state)).toThrow(refused);
        }
      }),
    );
  });

  it.each([null, 1, "x", [], new Uint8Array(3), {}] as Value[])(
    "is refused where it is no state: %o",
    (value) => {
      expect(() => decodeSessionState(value)).toThrow(refused);
    },
  );
});

describe("10,000 mutated hand-offs", () => {
  it("give MopErrors only, end their session and leave the memory flat", { timeout: 120_000 }, async () => {
    const random = seeded(20_240_611);
    const counts = { refused: 0, taken: 0 };
    let before = 0;
    for (let i = 0; i < 10_000; i++) {
      if (i === 2000) before = process.memoryUsage().rss;
      const suite = SUITES[i % SUITES.length]!;
      const value = mutate(encodeSessionState(freshState(suite)), random);
      try {
        const state = decodeSessionState(value);
        counts.taken++;
        // Noise where packets are expected: no key fits it
        const peer = createPeer(state);
        const { pipe, exit } = peer.session.exec("true", () => {});
        const failed = new Promise<unknown>((resolve) => pipe.once("error", resolve));
        const noise = Buffer.alloc(400, random.int(256));
        noise.writeUInt32BE(random.int(4) ? 32 : random.int(2 ** 31));
        peer.raw(noise);
        await settle();
        peer.end();
        const error = await peer.session.closed;
        expect(error).toBeInstanceOf(MopError);
        expect(await failed).toBe(error);
        expect(await exit).toEqual({ code: undefined, signal: undefined });
        expect(Buffer.from(state.outbound.key).every((byte) => byte === 0)).toBe(true);
      } catch (error) {
        if (!(error instanceof MopError)) throw error;
        expect(error.code).toBe("HANDOFF_REFUSED");
        counts.refused++;
      }
    }
    expect(counts.refused).toBeGreaterThan(2000);
    expect(counts.taken).toBeGreaterThan(500);
    expect((process.memoryUsage().rss - before) / 1e6).toBeLessThan(150);
  });
});

const plain = <Fields extends object>(fields: Fields) =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Uint8Array.from(value) : value,
    ]),
  );
