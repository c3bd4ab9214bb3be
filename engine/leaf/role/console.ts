import { Console } from "node:console";
import { Writable } from "node:stream";
import type { Events } from "../events.js";

/** A console whose words go to the operator: the process's own stdout carries frames. */
export function eventConsole(events: Pick<Events, "line">): Console {
  const to = (stream: "stdout" | "stderr"): Writable =>
    new Writable({
      decodeStrings: false,
      write(chunk: string | Buffer, _encoding, done) {
        // Not waited for: role code that writes can't be held up anyway, and the role's end waits for all events.
        events.line(stream, String(chunk)).catch(() => undefined);
        done();
      },
    });
  return new Console({ stdout: to("stdout"), stderr: to("stderr"), colorMode: false });
}
