import { expect, test } from "vitest";
import { isName } from "../../../../../engine/leaf/types/accounts/known-hosts.js";
import { knownHost } from "../../../../../engine/leaf/types/known-host.js";
import { testKeyCases } from "./key-cases.js";
import { KNOWN_HOSTS } from "./known-host-cases.js";

testKeyCases(
  knownHost,
  KNOWN_HOSTS.map((item) => ({ name: "git.example.org", ...item })),
);

test("names are hashed as ssh-keygen -H does it", () => {
  // Written by ssh-keygen -H of OpenSSH 9.2 for "example.org".
  const written = "|1|lPtQgvvfpTi/i0Bz4ttsgtrN+CI=|GC2NcJo0Akkn6tSfd8idH1DvHUA=";
  expect(isName(written, "example.org")).toBe(true);
  expect(isName(written, "example.com")).toBe(false);
});
