/** What an administrator of a host could keep: what its nodes read and write, and all that passes its wires. */
import type { ContainerHost } from "./container-host.js";

/** Goes over the host's wires in clear: a capture that doesn't show it is none. */
const MARK = "a-word-in-clear-on-the-wire-for-comparison";

/** Of every node of mop that is started on the host from now on. */
export async function tapNodes(
  host: ContainerHost,
): Promise<{ read(): Promise<Buffer>; written(): Promise<Buffer> }> {
  await host.sh(`mkdir -m 777 /tap /opt/own && mv "$(readlink -f /usr/bin/node)" /opt/own/node
    rm -f /usr/bin/node /usr/bin/nodejs
    printf '%s\\n' '#!/bin/bash' '[ "$1" = -v ] && exec /opt/own/node -v' \\
      'case $2 in *mop*) tee -a /tap/in | /opt/own/node "$@" | tee -a /tap/out;; *) exec /opt/own/node "$@";; esac' >/usr/bin/node
    chmod 755 /usr/bin/node`);
  return { read: () => fileOf(host, "/tap/in"), written: () => fileOf(host, "/tap/out") };
}

/** Captures all packets of the host; `end` gives them. */
export async function tapWires(host: ContainerHost): Promise<{ end(): Promise<Buffer> }> {
  await host.sh(`tcpdump -i any -s 0 -U -Z root -w /lab/wire >/dev/null 2>&1 & echo $! >/lab/tcpdump
    until [ -s /lab/wire ]; do sleep 0.1; done`);
  return {
    async end() {
      // What the kernel holds for tcpdump is written a second later, on a busy machine more.
      await host.sh(`bash -c 'echo ${MARK} >/dev/tcp/b2/22'; p=$(cat /lab/tcpdump)
        timeout 60 sh -c 'until grep -aq ${MARK} /lab/wire; do sleep 0.1; done' || exit; kill $p
        timeout 60 sh -c "while kill -0 $p; do sleep 0.1; done" 2>/dev/null`);
      return fileOf(host, "/lab/wire");
    },
  };
}

/** A file of a host, in the archive that the engine hands out. */
async function fileOf(host: ContainerHost, path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await host.container.copyArchiveFromContainer(path))
    chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
