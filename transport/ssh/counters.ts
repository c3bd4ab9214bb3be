/** A copy of `iv` whose big-endian counter in the bytes from `start` on has gone up by `by`; it wraps around. */
export function advance(iv: Buffer, start: number, by: number): Buffer {
  const out = Buffer.from(iv);
  let carry = BigInt(by);
  for (let i = out.length - 1; i >= start && carry > 0n; i--) {
    carry += BigInt(out[i]!);
    out[i] = Number(carry & 255n);
    carry >>= 8n;
  }
  return out;
}
