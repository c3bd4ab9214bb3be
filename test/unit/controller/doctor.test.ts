import { describe, expect, it } from "vitest";
import { conclude, type Finding } from "../../../engine/controller/run/doctor/findings.js";
import { nodeFindings } from "../../../engine/controller/run/doctor/hop-findings.js";
import { type Probe, readFree } from "../../../engine/controller/run/doctor/probe.js";
import type { NodeInfo } from "../../../transport/types.js";

const INFO: NodeInfo = {
  protocol: 1,
  runtime: "v18.19.0",
  platform: "linux",
  arch: "arm64",
  pid: 7,
  uid: 0,
  user: "root",
  hostname: "l1",
  key: new Uint8Array(32),
};
const PROBE: Probe = { node: "/usr/bin/node", aheadS: 0, freeKb: new Map(), bytesPerS: 1024 };
const of = (probe: Partial<Probe>, check: string) =>
  nodeFindings("l1", INFO, { ...PROBE, ...probe })
    .filter((finding) => finding.check === check)
    .map(({ status, text }) => [status, text]);

describe("what a node tells the doctor", () => {
  it("is which Node runs where and as whom", () => {
    expect(of({}, "node")).toEqual([["ok", "v18.19.0 for linux arm64 in /usr/bin/node, as root"]]);
    expect(of({ node: "" }, "node")).toEqual([["ok", "v18.19.0 for linux arm64, as root"]]);
  });
  it("is a clock that is off, to be changed from 6 s on", () => {
    expect(of({ aheadS: -1 }, "clock")).toEqual([["ok", "its clock agrees with this machine's"]]);
    expect(of({ aheadS: 5 }, "clock")).toEqual([["ok", "its clock is 5 s ahead of this machine's"]]);
    expect(of({ aheadS: -90 }, "clock")).toEqual([
      ["hint", "its clock is 90 s behind this machine's; have it set by NTP"],
    ]);
    expect(of({ aheadS: undefined }, "clock")).toEqual([]);
  });
  it("is a disk with little room", () => {
    const freeKb = new Map([
      ["/", 200 * 1024],
      ["/tmp", 3000],
    ]);
    expect(of({ freeKb }, "disk")).toEqual([
      ["ok", "200 MB are free in /"],
      ["hint", "3 MB are free in /tmp; make room there"],
    ]);
  });
  it("is read from df, whatever is mounted where", () => {
    const text = `Filesystem 1024-blocks Used Available Capacity Mounted on
/dev/sda1 100 40 60 40% /
tmpfs 10 0 10 0% /my tmp
df: something else
`;
    expect(readFree(text)).toEqual(
      new Map([
        ["/", 60],
        ["/my tmp", 10],
      ]),
    );
    expect(readFree("")).toEqual(new Map());
  });
});

describe("the doctor's last word", () => {
  const finding = (hop: string, status: Finding["status"], text: string): Finding => ({
    hop,
    check: "node",
    status,
    text,
  });
  it("is that all is well, with the account", () => {
    expect(conclude([finding("b1", "ok", "fine")], "l1", "deploy")).toEqual({
      status: "ok",
      text: "all is well: l1 can be pushed to as deploy",
    });
  });
  it("is the failure, before any hint, with its hop named once", () => {
    const hint = finding("b1", "hint", "its clock is off");
    expect(conclude([hint], "l1", "me")).toEqual({
      status: "hint",
      text: "l1 can be pushed to, but b1: its clock is off",
    });
    expect(conclude([hint, finding("l1", "failed", "l1: no Node")], "l1", "me")).toEqual({
      status: "failed",
      text: "l1: no Node",
    });
  });
});
