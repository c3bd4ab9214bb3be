import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BlobStore } from "../../../relay/blobs/store.js";

const blob = (size: number) => new Uint8Array(size);

describe("a blob store", () => {
  test("never holds more bytes than it may, whatever is put, read and pinned", () => {
    const op = fc.record({
      do: fc.constantFrom("put" as const, "get" as const, "pin" as const, "unpin" as const),
      hash: fc.nat(9),
      size: fc.nat(120),
    });
    fc.assert(
      fc.property(fc.array(op, { maxLength: 100 }), (ops) => {
        const store = new BlobStore(100);
        const sizes = new Map<string, number>();
        for (const { do: what, hash, size } of ops) {
          const name = String(hash);
          if (what === "put") {
            if (!store.has(name)) sizes.set(name, size);
            store.put(name, blob(size));
            expect(store.has(name)).toBe(sizes.get(name)! <= 100);
          } else if (what === "get") store.get(name);
          else store.pin(name, what === "pin" ? 1 : -1);
          const held = [...sizes]
            .filter(([known]) => store.has(known))
            .reduce((sum, [, bytes]) => sum + bytes, 0);
          expect(store.bytes).toBe(held);
          expect(held).toBeLessThanOrEqual(100);
        }
      }),
    );
  });

  test("lets go of what was used longest ago first", () => {
    const store = new BlobStore(30);
    for (const name of ["a", "b", "c"]) store.put(name, blob(10));
    store.get("a");
    store.put("d", blob(10));
    expect(["a", "b", "c", "d"].filter((name) => store.has(name))).toEqual(["a", "c", "d"]);
  });

  test("keeps what is pinned as long as there is something else to let go", () => {
    const store = new BlobStore(30);
    store.pin("a", 1);
    for (const name of ["a", "b", "c", "d"]) store.put(name, blob(10));
    expect(store.has("a")).toBe(true);
    expect(store.has("b")).toBe(false);
    store.pin("c", 1);
    store.pin("d", 1);
    store.put("e", blob(10));
    expect(["a", "b", "c", "d", "e"].filter((name) => store.has(name))).toEqual(["c", "d", "e"]);
  });

  test("lets a blob go only after the last of its pins", () => {
    const store = new BlobStore(20);
    store.pin("a", 1);
    store.pin("a", 1);
    store.pin("a", -1);
    store.put("a", blob(10));
    store.put("b", blob(10));
    store.put("c", blob(10));
    expect(store.has("a")).toBe(true);
    store.pin("a", -1);
    store.get("c");
    store.put("d", blob(10));
    expect(store.has("a")).toBe(false);
  });
});
