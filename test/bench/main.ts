/**
 * `npm run bench [-- PART...] [--runs N]`: measures whole pushes and prints tables. Parts: round-trips, slow-start,
 * payload, leaves; all of them where none is named. Status 1 when a limit is broken.
 */
import { parseArgs } from "node:util";
import { createLabs, type Labs } from "./labs.js";
import { leaves } from "./leaves.js";
import { payload } from "./payload.js";
import { type Limit, roundTrips } from "./round-trips.js";

const PARTS = ["round-trips", "slow-start", "payload", "leaves"];

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { runs: { type: "string", default: "5" } },
  });
  const unknown = positionals.find((part) => !PARTS.includes(part));
  if (unknown !== undefined) throw new Error(`no part is called "${unknown}"; known are ${PARTS.join(", ")}`);
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error("--runs needs a number from 1");
  const parts = new Set(positionals.length > 0 ? positionals : PARTS);
  const limits: Limit[] = [];
  let labs: Labs | undefined;
  try {
    if (parts.has("round-trips") || parts.has("slow-start") || parts.has("payload"))
      labs = await createLabs();
    if (labs && parts.has("round-trips")) limits.push(...(await roundTrips(labs, runs, false)));
    // The limits are of the plain proxy; these tables say what bytes cost on top.
    if (labs && parts.has("slow-start")) await roundTrips(labs, runs, true);
    if (labs && parts.has("payload")) await payload(labs, runs);
    await labs?.close();
    labs = undefined;
    if (parts.has("leaves")) limits.push(...(await leaves(runs)));
  } finally {
    await labs?.close();
  }
  const kept = ({ value, most }: Limit) => value <= most;
  if (limits.length > 0) console.log("");
  for (const limit of limits)
    console.log(`${kept(limit) ? "kept  " : "BROKEN"}  ${limit.text} (${limit.value.toFixed(1)})`);
  if (!limits.every(kept)) process.exitCode = 1;
}

await main().catch((error: unknown) => {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
