import type { HopReason, OutputEvent, RunEvent } from "../../vocabulary/events.js";
import type { MaskStream } from "../../vocabulary/masker.js";
import { KnownSecrets } from "./known-secrets.js";

/**
 * The same reports with all that this process knows as secret masked. Leaves mask what came with their order; this is
 * for what they say of other hosts' secrets, and for what the controller says itself (hooks, lost hosts).
 */
export function maskReport<E extends { readonly event: string } = never>(
  report: (event: RunEvent | E) => void,
): (event: RunEvent | E) => void {
  const known = new KnownSecrets();
  const mask = (text: string): string => known.mask(text);
  const streams = new Map<string, { readonly stream: MaskStream; last: OutputEvent }>();

  /** What was held back of a host's output (or of all hosts'): something else is told now. */
  const tellRest = (host?: string): void => {
    for (const [key, { stream, last }] of streams) {
      if (host !== undefined && last.host !== host) continue;
      const text = stream.end();
      if (text !== "") report({ ...last, text });
      streams.delete(key);
    }
  };

  const output = (event: OutputEvent): void => {
    const { masker } = known;
    const key = JSON.stringify([event.host, event.role, event.stream]);
    const open = streams.get(key) ?? { stream: masker.stream(), last: event };
    open.last = event;
    streams.set(key, open);
    const text = open.stream.push(event.text);
    if (text !== "") report({ ...event, text });
  };

  return (given) => {
    const event = given as RunEvent;
    if (event.event === "output") {
      output(event);
      return;
    }
    if ("host" in event) tellRest(event.host);
    if (event.event === "summary") tellRest();
    report(masked(given, mask));
  };
}

function masked<E extends { readonly event: string }>(
  given: RunEvent | E,
  mask: (text: string) => string,
): RunEvent | E {
  const event = given as RunEvent;
  const reasoned = ({ at, reason }: HopReason) => ({ at, reason: mask(reason) });
  switch (event.event) {
    case "resource": {
      const { name, changes, diff, error } = event;
      return {
        ...event,
        name: mask(name),
        changes: changes.map(mask),
        ...(diff === undefined ? {} : { diff: mask(diff) }),
        ...(error === undefined ? {} : { error: mask(error) }),
      };
    }
    case "role":
      return event.error === undefined ? event : { ...event, error: mask(event.error) };
    case "stopped":
      return { ...event, reason: mask(event.reason) };
    case "host":
      if (event.state === "unreachable") return { ...event, reason: mask(event.reason) };
      if (event.state !== "connected") return event;
      return {
        ...event,
        ...(event.detours && { detours: event.detours.map(reasoned) }),
        ...(event.jumps && { jumps: event.jumps.map(reasoned) }),
      };
    default:
      return given;
  }
}
