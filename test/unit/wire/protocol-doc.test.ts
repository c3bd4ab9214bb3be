import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../transport/errors.js";
import * as constants from "../../../transport/wire/constants.js";
import { FRAME_RULES, FrameType, WindowFlag } from "../../../transport/wire/constants.js";
import { decodeFrame, encodeFrame, type Frame } from "../../../transport/wire/frame.js";
import { decodeValue, encodeValue } from "../../../transport/wire/value.js";
import { freshState } from "../../support/session-peer.js";

const document = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");

/** The rows of the table below this heading whose first columns are `columns`, as text cells. */
function table(heading: string, columns: readonly string[]): string[][] {
  const section = document.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  const lines = section.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${columns.join(" | ")} |`));
  expect(start, `the table ${columns.join(", ")} below ${heading}`).toBeGreaterThan(0);
  const rows: string[][] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith("|")) break;
    rows.push(
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
  }
  return rows;
}

/** `values` of a vector: JSON, with bytes as h"00ff". */
function parse(text: string): unknown {
  return JSON.parse(text.replaceAll(/h"([0-9a-f]*)"/g, '{"hex":"$1"}'), (_key, value: unknown) =>
    typeof value === "object" && value !== null && "hex" in value
      ? Buffer.from(String((value as { hex: unknown }).hex), "hex")
      : value,
  );
}

describe("docs/protocol.md", () => {
  it("has every type of frame with its number, direction, scope and sizes, and no other", () => {
    const rows = table("Frames", ["type", "number", "direction", "scope", "least body", "most body"]);
    const documented = rows.map(([name, number, direction, scope, minBody, maxBody]) => ({
      name,
      number: Number(number),
      direction,
      scope,
      minBody: Number(minBody),
      maxBody: Number(maxBody),
    }));
    expect(documented).toEqual([...FRAME_RULES].map(([number, rule]) => ({ number, ...rule })));
    expect(documented.map(({ name, number }) => [name, number])).toEqual(Object.entries(FrameType));
    for (const { number } of documented) expect(FRAME_RULES.has(number)).toBe(true);
  });

  it("has the header's fields where the code has them", () => {
    const rows = table("Frames", ["offset", "bytes", "field"]);
    const frame: Frame = {
      type: FrameType.WINDOW,
      flags: WindowFlag.ECHO,
      destination: 0x0102_0304,
      source: 0x0506_0708,
      channel: 0x090a_0b0c,
      body: Buffer.from([1, 2, 3, 4]),
    };
    const item = decodeValue(encodeFrame(frame)) as Buffer;
    for (const [offset, bytes, field] of rows.slice(0, -1))
      expect(item.readUIntBE(Number(offset), Number(bytes)), field).toBe(frame[field as "type"]);
    const [offset, , field] = rows.at(-1)!;
    expect([field, item.subarray(Number(offset))]).toEqual(["body", frame.body]);
    expect(Number(offset)).toBe(constants.HEADER_BYTES);
    const flags = rows.find((row) => row[2] === "flags")!;
    for (const [name, bit] of Object.entries(WindowFlag)) expect(flags[3]).toContain(`${bit} ${name}`);
  });

  it("has every limit, and no other", () => {
    const documented = table("Limits", ["limit", "value"]).map(([name, value]) => [name, Number(value)]);
    const numbers = Object.entries(constants).filter(([, value]) => typeof value === "number");
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(numbers));
  });

  it("has every error with its number, and no other", () => {
    const documented = table("Errors", ["code", "number"]).map(([name, number]) => [name, Number(number)]);
    expect(documented).toEqual(Object.entries(ErrorCode));
  });

  it("has every kind of channel that a node serves, and no other", () => {
    const served = readdirSync(new URL("../../../relay", import.meta.url), { recursive: true })
      .filter((name) => String(name).endsWith(".ts"))
      .flatMap((name) => [
        ...readFileSync(new URL(`../../../relay/${name}`, import.meta.url), "utf8").matchAll(
          /\.serve\("(\w+)"/g,
        ),
      ]);
    const documented = table("Channels", ["kind", "opened by"]).map(([cell]) => cell?.replaceAll("`", ""));
    expect(documented.sort()).toEqual(served.map(([, kind]) => kind).sort());
  });

  it("has every field of a session that is handed over, and no other", () => {
    const { outbound, inbound, rekey, ...rest } = freshState();
    const names = table("Channels", ["field"]).flatMap(([cell]) =>
      [...cell!.matchAll(/`(\w+)`/g)].map(([, name]) => name!),
    );
    expect(names.sort()).toEqual([...Object.keys(rest), "outbound", "inbound", "rekey"].sort());
    const [, rows = ""] = /^\| field \| \|\n([\s\S]*?)\n\n/m.exec(document) ?? [];
    for (const part of [outbound, inbound, rekey])
      for (const name of Object.keys(part)) expect(rows).toContain(`\`${name}\``);
  });

  it("names no error that there isn't", () => {
    const words = document.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`/g);
    for (const [, word] of words)
      expect(Object.keys(ErrorCode).includes(word!) || word! in constants, word).toBe(true);
  });

  const vectors = table("Golden vectors", [
    "type",
    "flags",
    "destination",
    "source",
    "channel",
    "values",
    "frame",
  ]);

  it.each(vectors)("has a vector of %s that is written and read so (%s %s %s %s %s)", (...cells) => {
    const [name, flags, destination, source, channel, values, hex] = cells.map((cell) =>
      cell.replaceAll("`", ""),
    ) as [keyof typeof FrameType, string, string, string, string, string, string];
    const value = parse(values);
    const frame: Frame = {
      type: FrameType[name],
      flags: Number(flags),
      destination: Number(destination),
      source: Number(source),
      channel: Number(channel),
      body: value instanceof Buffer ? value : encodeValue(value as never),
    };
    expect(encodeFrame(frame).toString("hex")).toBe(hex);
    const read = decodeFrame(decodeValue(Buffer.from(hex, "hex")) as Uint8Array);
    expect(read).toEqual(frame);
    if (!(value instanceof Buffer)) expect(decodeValue(read.body)).toEqual(value);
  });

  it("has a vector of every type", () => {
    expect(new Set(vectors.map(([name]) => name))).toEqual(new Set(Object.keys(FrameType)));
  });
});
