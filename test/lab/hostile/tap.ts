/** The double's hands on a TCP connection that its core opens: a server between, in the same process. */
import net from "node:net";
import type { Address, Attack, Double, Part, Piece, Tap } from "./attack.js";

const PARTS: { readonly [type: number]: Part } = { 20: "kexinit", 30: "share", 31: "share", 21: "newkeys" };

/** Cuts one direction of an SSH connection into its plaintext packets; what is behind them comes as it came. */
function createPieces(): (chunk: Buffer) => Piece[] {
  let held: Buffer = Buffer.alloc(0);
  let part: Part = "identification";
  let sealed = false;
  const counts = new Map<Part, number>();
  const piece = (of: Part, bytes: Buffer): Piece => {
    const index = counts.get(of) ?? 0;
    counts.set(of, index + 1);
    return { part: of, bytes, index };
  };
  return (chunk) => {
    if (sealed) return [piece("sealed", chunk)];
    const pieces: Piece[] = [];
    held = Buffer.concat([held, chunk]);
    for (;;) {
      if (part === "identification") {
        const end = held.indexOf(10) + 1;
        if (end === 0) return pieces;
        pieces.push(piece("identification", held.subarray(0, end)));
        held = held.subarray(end);
        part = "kexinit";
      }
      if (held.length < 6) return pieces;
      const end = 4 + held.readUInt32BE(0);
      if (held.length < end) return pieces;
      const of = PARTS[held[5]!] ?? "share";
      pieces.push(piece(of, held.subarray(0, end)));
      held = held.subarray(end);
      if (of !== "newkeys") continue;
      sealed = true;
      if (held.length > 0) pieces.push(piece("sealed", held));
      return pieces;
    }
  };
}

export type Connect = (to: Address) => net.Socket;

/** `connect` for the core: the socket that it gets leads through the attack to the address. */
export async function tapServer(
  attack: Attack,
  double: Double,
  keep: (bytes: Uint8Array) => void,
): Promise<Connect> {
  const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    // The first line says where to
    client.once("readable", () => {
      const first = client.read() as Buffer;
      const end = first.indexOf(10);
      join(client, JSON.parse(first.toString("utf8", 0, end)), first.subarray(end + 1));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  const { port } = server.address() as net.AddressInfo;

  function join(client: net.Socket, to: Address, rest: Buffer): void {
    const upstream = net.connect({ ...to, noDelay: true, allowHalfOpen: true });
    const tap: Tap = {
      toServer: (bytes) => void upstream.write(bytes),
      toClient: (bytes) => void client.write(bytes),
      cut: () => client.destroy(),
    };
    for (const socket of [client, upstream]) socket.on("error", () => {});
    client.on("close", () => upstream.destroy());
    upstream.on("end", () => client.end());
    upstream.on("close", () => client.end());
    const down = createPieces();
    const up = createPieces();
    const fromClient = (chunk: Buffer) => {
      for (const piece of up(chunk))
        for (const out of attack.fromClient?.(double, piece, tap) ?? [piece.bytes]) tap.toServer(out);
    };
    upstream.on("data", (chunk: Buffer) => {
      keep(chunk);
      for (const piece of down(chunk))
        for (const out of attack.fromServer?.(double, piece, tap) ?? [piece.bytes]) tap.toClient(out);
    });
    client.on("data", fromClient);
    client.on("end", () => upstream.end());
    if (rest.length > 0) fromClient(rest);
  }

  return (to) => {
    const socket = net.connect({ host: "127.0.0.1", port });
    socket.write(`${JSON.stringify(to)}\n`);
    return socket;
  };
}
