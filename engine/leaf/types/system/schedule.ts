import type { CronOptions } from "../../../vocabulary/resources.js";
import { Refusal } from "../../errors.js";

const FIELDS = ["minute", "hour", "day", "month", "weekday"] as const;
const RANGES: Readonly<Record<(typeof FIELDS)[number], readonly [number, number]>> = {
  minute: [0, 59],
  hour: [0, 23],
  day: [1, 31],
  month: [1, 12],
  weekday: [0, 7],
};
const NAMES: Partial<Record<(typeof FIELDS)[number], readonly string[]>> = {
  month: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
  weekday: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};
const WORDS = ["@reboot", "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/** When a job runs, as crontab(5) writes it; undefined where nothing says it. Throws a Refusal for what cron can't read. */
export function scheduleOf(options: CronOptions): string | undefined {
  const { schedule } = options;
  const single = FIELDS.filter((field) => options[field] !== undefined);
  if (schedule !== undefined && single.length > 0)
    throw new Refusal(`it can't have both "schedule" and "${single[0]}"`);
  if (schedule === undefined && single.length === 0) return undefined;
  if (schedule?.startsWith("@")) {
    if (!WORDS.includes(schedule)) throw new Refusal(`cron has no "${schedule}", only ${WORDS.join(", ")}`);
    return schedule;
  }
  const texts =
    schedule === undefined
      ? FIELDS.map((field) => String(options[field] ?? "*"))
      : schedule.trim().split(/\s+/);
  if (texts.length !== FIELDS.length)
    throw new Refusal(`the schedule "${schedule}" must have five fields: minute, hour, day, month, weekday`);
  for (const [index, field] of FIELDS.entries()) {
    const text = texts[index] ?? "";
    if (!text.split(",").every((part) => isPart(part, field)))
      throw new Refusal(`"${text}" is no ${field} of cron (${RANGES[field].join(" to ")})`);
  }
  return texts.join(" ");
}

/** "*", "5", "1-5", each with a step such as "/10". */
function isPart(part: string, field: (typeof FIELDS)[number]): boolean {
  const [, range = "", step] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? [];
  if (step !== undefined && Number(step) < 1) return false;
  if (range === "*") return true;
  const ends = range.split("-");
  const [low, high] = RANGES[field];
  const values = ends.map((end) => numberOf(end, field));
  if (ends.length > 2 || values.some((value) => value === undefined || value < low || value > high))
    return false;
  return ends.length === 1 || values[0]! <= values[1]!;
}

function numberOf(text: string, field: (typeof FIELDS)[number]): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const index = NAMES[field]?.indexOf(text.toLowerCase()) ?? -1;
  return index < 0 ? undefined : index + RANGES[field][0];
}
