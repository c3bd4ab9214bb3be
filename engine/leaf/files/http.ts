import http from "node:http";
import https from "node:https";
import { causeOf, Refusal, throwIfAborted } from "../errors.js";

const MAX_REDIRECTS = 10;
/** Milliseconds without a byte until a server is given up */
const SILENCE = 60_000;

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** To be read to its end, or destroyed */
  readonly body: AsyncIterable<Uint8Array> & { destroy(): void };
}

/** An address as messages show it: without passwords, and without what stands behind `?`, which may be one. */
export function shownUrl(address: string): string {
  const url = new URL(address);
  return `${url.protocol}//${url.host}${url.pathname}${url.search === "" ? "" : "?..."}`;
}

/** Asks a web server; follows redirects, but none from https to http. Throws a Refusal when there is no answer. */
export async function ask(
  method: "GET" | "HEAD",
  address: string,
  signal: AbortSignal,
  silence = SILENCE,
): Promise<Answer> {
  let url = parsed(address);
  for (let hops = 0; ; hops++) {
    throwIfAborted(signal);
    const answer = await once(method, url, signal, silence);
    const { status, headers } = answer;
    if (![301, 302, 303, 307, 308].includes(status) || headers.location === undefined) return answer;
    answer.body.destroy();
    const next = parsed(headers.location, url);
    if (hops === MAX_REDIRECTS) throw new Refusal(`${shownUrl(address)} redirects more than ${hops} times`);
    if (next.protocol !== "https:" && (url.protocol === "https:" || next.protocol !== "http:"))
      throw new Refusal(`${shownUrl(address)} redirects to ${next.protocol}//, which is not followed`);
    url = next;
  }
}

function parsed(address: string, base?: URL): URL {
  try {
    return new URL(address, base);
  } catch {
    throw new Refusal(`"${address}" is no address of the web`);
  }
}

function once(method: string, url: URL, signal: AbortSignal, silence: number): Promise<Answer> {
  const shown = shownUrl(url.href);
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) =>
      reject(new Refusal(`${shown} can't be reached: ${NETWORK[codeOf(error)] ?? causeOf(error)}`));
    const auth = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    const request = (url.protocol === "https:" ? https : http).request(url, {
      method,
      agent: false,
      headers: { "user-agent": "mop" },
      ...(auth === ":" ? {} : { auth }),
    });
    const abort = () => request.destroy(new Refusal("it was cancelled"));
    signal.addEventListener("abort", abort, { once: true });
    request.setTimeout(silence, () =>
      request.destroy(new Refusal(`the server said nothing for ${silence / 1000} s`)),
    );
    request.once("close", () => signal.removeEventListener("abort", abort));
    request.once("error", fail);
    request.once("response", (response) => {
      const body = told(response, shown);
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: Object.assign(body, { destroy: () => void response.destroy() }),
      });
    });
    request.end();
  });
}

/** A body that ends before its end is an error with the address in it. */
async function* told(response: http.IncomingMessage, shown: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of response) yield piece as Uint8Array;
  } catch (error) {
    throw new Refusal(`the download from ${shown} broke off: ${NETWORK[codeOf(error)] ?? causeOf(error)}`);
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "";

const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: "the connection was closed",
  ENOTFOUND: "its name is not known",
  EAI_AGAIN: "its name can't be looked up now",
  ETIMEDOUT: "it does not answer",
  EHOSTUNREACH: "there is no way to that host",
  ENETUNREACH: "there is no way to that network",
};
