import { describe, expect, test } from "vitest";
import type { Become } from "../../../relay/boot/become.js";
import { placesOf } from "../../../relay/mesh/hops/become.js";
import { Place } from "../../../relay/mesh/place.js";
import type { Hop, HopKind } from "../../../relay/mesh/types.js";

const hop = (name: string, kind: HopKind, become?: Become): Hop =>
  ({ kind, node: "", target: { name }, ...(become ? { become } : {}) }) as Hop;
const sudo: Become = { method: "sudo", user: "root", password: "geheim" };
const su: Become = { ...sudo, method: "su" };
const doas: Become = { ...sudo, method: "doas" };
const free: Become = { method: "sudo", user: "root" };

/** What is reached on the way, in short: "l1", "l1 as root by sudo", and what else is said of it. */
const told = (route: readonly Hop[]) =>
  placesOf(route).map(({ target, kind, become, stays, keepsNone }) =>
    [
      target.name,
      kind,
      ...(become ? [become.method] : []),
      ...(stays ? ["stays"] : []),
      ...(keepsNone ? ["keeps none"] : []),
    ].join(" "),
  );

describe("a host where a password is to be typed", () => {
  test.each<[string, Hop[], string[]]>([
    ["the first one: by this machine", [hop("l1", "relay", sudo)], ["l1 relay sudo"]],
    [
      "behind a relay: by the node of the host itself, the account within it",
      [hop("b1", "relay"), hop("l1", "relay", sudo)],
      ["b1 relay", "l1 relay", "l1 command sudo"],
    ],
    [
      "by su, a bastion that takes no sessions",
      [hop("b1", "relay"), hop("b2", "sealed", su), hop("l1", "relay", su)],
      ["b1 relay", "b2 sealed", "b2 command su keeps none", "l1 relay su"],
    ],
    [
      "by doas, which wants a terminal: by this machine, its session stays",
      [hop("b1", "relay"), hop("l1", "relay", doas)],
      ["b1 relay", "l1 relay doas stays"],
    ],
    [
      "behind a jump, where the session stays anyway",
      [hop("b1", "relay"), hop("b2", "jump"), hop("l1", "relay", sudo)],
      ["b1 relay", "b2 jump", "l1 relay sudo"],
    ],
    [
      "in a container: by the host before it, which runs the command; behind it as behind a relay",
      [hop("b1", "relay"), hop("box", "command", su), hop("l1", "relay", su)],
      ["b1 relay", "box command su", "l1 relay", "l1 command su"],
    ],
    [
      "nowhere: no password is known",
      [hop("b1", "relay"), hop("l1", "relay", free)],
      ["b1 relay", "l1 relay sudo"],
    ],
  ])("%s", (_how, route, places) => {
    expect(told(route)).toEqual(places);
  });

  test("is one host of the route, for people", () => {
    let place: Place | undefined;
    for (const step of placesOf([hop("b1", "relay"), hop("l1", "relay", sudo)]))
      place = new Place("", step, place, 1, "relay");
    expect(place?.route).toEqual(["b1", "l1"]);
    expect(place?.isWithin).toBe(true);
    expect(place?.parent?.hop.become).toBeUndefined();
  });
});
