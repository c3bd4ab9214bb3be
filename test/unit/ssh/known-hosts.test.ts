import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { algorithmsFor } from "../../../transport/ssh/algorithms.js";
import { coversHost, knownHostLine, parseKnownHosts, verdict } from "../../../transport/ssh/known-hosts.js";

/** A key as the wire has it: its type's name and something behind it. */
function key(type: string, seed: number): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(type.length);
  return Buffer.concat([head, Buffer.from(type), Buffer.alloc(36, seed)]);
}
const ED = "ssh-ed25519";
const [good, bad] = [key(ED, 1), key(ED, 2)];
const base64 = good.toString("base64");
const hashed = (name: string) => {
  const salt = Buffer.alloc(20, 9);
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
};
const ask = (text: string, host = "web", port = 22, shown = good, alias?: string) =>
  verdict(parseKnownHosts(text, "known"), host, port, shown, alias);

describe("known_hosts", () => {
  it.each([
    ["a plain name", `web ${ED} ${base64}`, "web", 22],
    ["one of several names", `other,web ${ED} ${base64}`, "web", 22],
    ["another case", `WEB ${ED} ${base64}`, "Web", 22],
    ["a pattern", `w?b,*.example ${ED} ${base64}`, "a.example", 22],
    ["a hashed name", `${hashed("web")} ${ED} ${base64}`, "web", 22],
    ["[host]:port", `[web]:2222 ${ED} ${base64}`, "web", 2222],
    ["a hashed [host]:port", `${hashed("[web]:2222")} ${ED} ${base64}`, "web", 2222],
    ["the bare name of a host on another port", `web ${ED} ${base64}`, "web", 2222],
    ["an IPv6 address", `2001:db8::1 ${ED} ${base64}`, "2001:db8::1", 22],
    ["tabs, spaces, CR and a comment", `  web\t${ED}  ${base64} somebody\r`, "web", 22],
  ])("knows a host by %s", (_name, line, host, port) => {
    expect(ask(`# comment\n\n${line}\n`, host, port)).toMatchObject({ kind: "known", entry: { line: 3 } });
  });

  it.each([
    ["a name that only begins alike", `web2 ${ED} ${base64}`],
    ["a negated pattern", `*,!web ${ED} ${base64}`],
    ["another port", `[web]:2222 ${ED} ${base64}`],
    ["a broken key", `web ${ED} AAAA`],
    ["a key whose bytes name another type", `web ssh-rsa ${base64}`],
    ["an unknown marker", `@other web ${ED} ${base64}`],
    ["another hash method", `|2|AAAA|AAAA ${ED} ${base64}`],
    ["nothing", ""],
  ])("doesn't know a host by %s", (_name, line) => {
    expect(ask(line).kind).toBe("unknown");
  });

  it("tells a changed key with file and line of the entry of the same type", () => {
    const rsa = key("ssh-rsa", 3).toString("base64");
    const text = `web ssh-rsa ${rsa}\nweb ${ED} ${base64}\n`;
    expect(ask(text, "web", 22, bad)).toMatchObject({ kind: "changed", entry: { file: "known", line: 2 } });
  });

  it("takes a key of another type than the known one for a change", () => {
    expect(ask(`web ${ED} ${base64}`, "web", 22, key("ssh-rsa", 1)).kind).toBe("changed");
  });

  it("doesn't hold the bare name's other key against a host on another port", () => {
    expect(ask(`web ${ED} ${base64}`, "web", 2222, bad).kind).toBe("unknown");
  });

  it("lets @revoked stand over an entry that knows the key", () => {
    const text = `web ${ED} ${base64}\n@revoked * ${ED} ${base64}\n`;
    expect(ask(text)).toMatchObject({ kind: "revoked", entry: { line: 2 } });
    expect(ask(text, "web", 2222).kind).toBe("revoked");
    expect(ask(text, "web", 22, bad).kind).toBe("changed");
  });

  it("names a @cert-authority line that would cover the host, and takes it for no key", () => {
    expect(ask(`@cert-authority *,web ${ED} ${base64}`)).toMatchObject({
      kind: "unknown",
      authority: { line: 1 },
    });
  });

  it("asks for the alias alone where there is one", () => {
    expect(ask(`alias ${ED} ${base64}`, "web", 2222, good, "alias").kind).toBe("known");
    expect(ask(`web ${ED} ${base64}`, "web", 22, good, "alias").kind).toBe("unknown");
  });

  it("matches long patterns of stars in no time", () => {
    expect(coversHost(`${"*a".repeat(40)}`, "a".repeat(400))).toBe(true);
    expect(coversHost(`${"*a".repeat(40)}b`, "a".repeat(4000))).toBe(false);
  });

  it("writes lines that it reads again", () => {
    expect(ask(knownHostLine("[web]:2222", good), "web", 2222).kind).toBe("known");
  });
});

describe("the algorithms that are offered", () => {
  const lists = algorithmsFor(new Set(["ssh-rsa"]));

  it("hold no SHA-1, no CBC, no ChaCha20, no DSA and no certificates", () => {
    const all = [lists.kex, lists.serverHostKey, lists.cipher, lists.hmac].flat();
    expect(all.filter((name) => /sha1$|^ssh-rsa|cbc|chacha|dss|cert|arcfour|3des|md5/.test(name))).toEqual(
      [],
    );
  });

  it("begin with the types under which the host is known", () => {
    expect(lists.serverHostKey.slice(0, 2).sort()).toEqual(["rsa-sha2-256", "rsa-sha2-512"]);
    expect(algorithmsFor(new Set([ED])).serverHostKey[0]).toBe(ED);
  });
});
