import http from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface Page {
  readonly body?: string | Uint8Array;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Claims more bytes than come */
  readonly cut?: boolean;
}

/** A web server on loopback that counts what it is asked for: "GET /a". */
export async function webServer(pages: Record<string, Page>): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const page = pages[request.url ?? ""];
    const body = Buffer.from((page?.body ?? "") as string);
    const length = String(body.length + (page?.cut ? 10 : 0));
    response.writeHead(page ? (page.status ?? 200) : 404, { "content-length": length, ...page?.headers });
    if (request.method === "HEAD") response.end();
    else if (page?.cut) response.write(body, () => response.destroy());
    else response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}
