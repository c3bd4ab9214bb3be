import { readFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { fileURLToPath } from "node:url";
import { Refusal, refuse } from "../../errors.js";

/** A key is a few kB. */
const MAX_BYTES = 1024 * 1024;
const MAX_REDIRECTS = 5;
/** Without a byte, in ms */
const SILENCE = 30_000;

/** What lies at a URL (http, https, file). Throws a Refusal that says why it can't be had. */
export async function fetchBytes(url: string, signal: AbortSignal, redirects = 0): Promise<Buffer> {
  if (url.startsWith("file:"))
    return readFile(fileURLToPath(url)).catch((error: unknown) => {
      throw refuse(`${url} can't be read`, error);
    });
  const { get } = url.startsWith("https:") ? https : http;
  const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const request = get(url, { signal, timeout: SILENCE }, resolve);
    request.once("timeout", () => request.destroy(new Refusal(`${url} does not answer`)));
    request.once("error", (error) => reject(refuse(`${url} can't be fetched`, error)));
  });
  const { statusCode = 0, headers } = answer;
  if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
    answer.resume();
    if (redirects >= MAX_REDIRECTS) throw new Refusal(`${url} leads on and on`);
    const next = new URL(headers.location, url).href;
    if (url.startsWith("https:") && !next.startsWith("https:"))
      throw new Refusal(`${url} leads to ${next}, which is not encrypted`);
    if (!/^https?:/.test(next)) throw new Refusal(`${url} leads to ${next}`);
    return fetchBytes(next, signal, redirects + 1);
  }
  if (statusCode !== 200) {
    answer.resume();
    throw new Refusal(`${url} can't be fetched: the server says ${statusCode}`);
  }
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of answer) {
      size += (piece as Buffer).length;
      if (size > MAX_BYTES) throw new Refusal(`what lies at ${url} is too large for a key`);
      pieces.push(piece as Buffer);
    }
  } catch (error) {
    throw refuse(`${url} can't be fetched`, error);
  }
  return Buffer.concat(pieces);
}
