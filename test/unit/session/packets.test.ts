import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPacketReader, createPacketWriter, MAX_PACKET_LENGTH } from "../../../relay/session/packets.js";
import type { DirectionState } from "../../../transport/session-state.js";
import { bytesInUse } from "../../support/memory.js";
import { freshDirection, SUITES } from "../../support/session-peer.js";

const copy = (state: DirectionState): DirectionState => ({
  ...state,
  key: Buffer.from(state.key),
  iv: Buffer.from(state.iv),
  macKey: state.macKey && Buffer.from(state.macKey),
});
const pair = (state: DirectionState) => ({
  writer: createPacketWriter(copy(state)),
  reader: createPacketReader(copy(state)),
});
const drain = (reader: ReturnType<typeof createPacketReader>) => {
  const payloads: Buffer[] = [];
  for (let payload = reader.next(); payload; payload = reader.next()) payloads.push(Buffer.from(payload));
  return payloads;
};

describe.each(SUITES)("packets under %s %s", (cipher, mac) => {
  it("come out as they went in, whatever the pieces", () => {
    const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }), {
      minLength: 1,
      maxLength: 8,
    });
    const sizes = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 20 });
    fc.assert(
      fc.property(payloads, sizes, (sent, cuts) => {
        const { writer, reader } = pair(freshDirection(cipher, mac));
        const stream = Buffer.concat(sent.flatMap((payload) => writer.seal(payload)));
        const got: Buffer[] = [];
        let at = 0;
        for (const size of [...cuts, stream.length]) {
          reader.push(stream.subarray(at, at + size));
          at += size;
          got.push(...drain(reader));
        }
        expect(got.map((payload) => payload.toString("hex"))).toEqual(
          sent.map((payload) => Buffer.from(payload).toString("hex")),
        );
        expect(reader.sequence).toBe(writer.sequence);
        expect(reader.bytes).toBe(writer.bytes);
      }),
      { numRuns: 60 },
    );
  });

  it("come out byte by byte", () => {
    const { writer, reader } = pair(freshDirection(cipher, mac));
    const payloads = [randomBytes(1), randomBytes(16), randomBytes(33_000)];
    const got: Buffer[] = [];
    for (const byte of Buffer.concat(payloads.flatMap((payload) => writer.seal(payload)))) {
      reader.push(Buffer.of(byte));
      got.push(...drain(reader));
    }
    expect(got).toEqual(payloads);
  });

  it("are refused when a single bit was altered anywhere", () => {
    const state = freshDirection(cipher, mac);
    const packet = Buffer.concat(pair(state).writer.seal(Buffer.from("attack at dawn")));
    for (let bit = 0; bit < packet.length * 8; bit++) {
      const altered = Buffer.from(packet);
      altered[bit >> 3]! ^= 1 << (bit & 7);
      const { reader } = pair(state);
      reader.push(altered);
      let payload: Buffer | undefined;
      try {
        payload = reader.next();
      } catch (error) {
        expect(error).toMatchObject({ code: "SSH_PROTOCOL" });
      }
      // A longer length waits for bytes that never come: nothing is handed out either way
      expect(payload).toBeUndefined();
    }
  });

  it("go on across the wrap of the sequence number", () => {
    const { writer, reader } = pair(freshDirection(cipher, mac, { sequence: 0xffffffff }));
    for (const text of ["last", "first", "second"]) {
      reader.push(Buffer.concat(writer.seal(Buffer.from(text))));
      expect(reader.next()?.toString()).toBe(text);
    }
    expect([writer.sequence, reader.sequence]).toEqual([2, 2]);
  });

  it("can't be replayed or swapped", () => {
    const { writer, reader } = pair(freshDirection(cipher, mac));
    const first = Buffer.concat(writer.seal(Buffer.from("one")));
    reader.push(first);
    expect(reader.next()?.toString()).toBe("one");
    reader.push(first);
    expect(() => drain(reader)).toThrow(expect.objectContaining({ code: "SSH_PROTOCOL" }));
  });

  it("leave no key behind after a wipe, and none come any more", () => {
    const state = freshDirection(cipher, mac);
    const writer = createPacketWriter(state);
    writer.wipe();
    const secrets = Buffer.concat([state.key, state.iv, state.macKey ?? Buffer.alloc(0)]);
    expect(secrets.equals(Buffer.alloc(secrets.length))).toBe(true);
    expect(writer.seal(Buffer.from("late"))).toEqual([]);
  });
});

describe("a packet's length", () => {
  it.each([0, 1, 15, 17, MAX_PACKET_LENGTH + 16, 2 ** 31, 2 ** 32 - 1])(
    "%i is refused as soon as it is read",
    (length) => {
      const reader = createPacketReader(freshDirection("aes256-gcm@openssh.com", null));
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(length);
      reader.push(bytes);
      expect(() => reader.next()).toThrow(expect.objectContaining({ code: "SSH_PROTOCOL" }));
    },
  );

  it("of 35,000 bytes and more is taken, as RFC 4253 asks", () => {
    const { writer, reader } = pair(freshDirection("aes128-ctr", "hmac-sha2-256-etm@openssh.com"));
    const payload = randomBytes(200_000);
    reader.push(Buffer.concat(writer.seal(payload)));
    expect(reader.next()?.equals(payload)).toBe(true);
  });

  it("that comes byte by byte costs little more than its bytes while it is not whole", () => {
    const { writer, reader } = pair(freshDirection("aes256-gcm@openssh.com", null));
    const payload = randomBytes(250_000);
    const bytes = Buffer.concat(writer.seal(payload));
    const before = bytesInUse();
    let early = 0;
    for (const byte of bytes.subarray(0, -1)) {
      reader.push(Buffer.allocUnsafeSlow(1).fill(byte));
      if (reader.next()) early++;
    }
    expect(early).toBe(0);
    // A piece of its own for each byte would be 50 MB; the engine's own noise is some MB.
    expect(bytesInUse() - before).toBeLessThan(10_000_000);
    reader.push(bytes.subarray(-1));
    expect(reader.next()?.equals(payload)).toBe(true);
  });
});
