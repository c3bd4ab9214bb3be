import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  CHANNEL_CLOSE,
  CHANNEL_DATA,
  CHANNEL_EOF,
  CHANNEL_EXTENDED_DATA,
  CHANNEL_FAILURE,
  CHANNEL_OPEN,
  CHANNEL_OPEN_CONFIRMATION,
  CHANNEL_OPEN_FAILURE,
  CHANNEL_REQUEST,
  CHANNEL_WINDOW_ADJUST,
  DISCONNECT,
  GLOBAL_REQUEST,
  message,
  REQUEST_FAILURE,
  UNIMPLEMENTED,
  USERAUTH_BANNER,
  USERAUTH_FAILURE,
  USERAUTH_SUCCESS,
} from "../../../relay/session/messages.js";
import { createPeer, freshState, type Peer, settle } from "../../support/session-peer.js";

const MB = 1 << 20;
const drop = () => {};

/** A peer with one command running on its channel 42. */
async function running(window = 2 * MB, maxPacket = 32768, onStderr: (chunk: Buffer) => void = drop) {
  const peer = createPeer();
  const command = peer.session.exec("cat", onStderr);
  command.pipe.on("error", drop);
  const open = await peer.next(CHANNEL_OPEN);
  expect(open.text()).toBe("session");
  const id = open.uint32();
  peer.send(message(CHANNEL_OPEN_CONFIRMATION, id, 42, window, maxPacket));
  const exec = await peer.next(CHANNEL_REQUEST);
  expect([exec.uint32(), exec.text(), exec.boolean(), exec.text()]).toEqual([42, "exec", true, "cat"]);
  return { ...peer, stdio: command.pipe, exit: command.exit, id };
}

const outcome = async (peer: Peer) => (await peer.session.closed)?.code;

describe("the login's end", () => {
  const waiting = (serverIdent = "SSH-2.0-lab") => {
    const state = freshState();
    const rekey = { ...state.rekey, serverIdent: Buffer.from(serverIdent) };
    return { ...state, rekey, phase: "authenticating" as const };
  };

  it("is waited for: nothing is asked before the server accepted", async () => {
    const peer = createPeer(waiting());
    peer.session.exec("true", drop);
    peer.send(message(6, "ssh-userauth"), message(7, 0), message(USERAUTH_BANNER, "hello", ""));
    await settle();
    expect(peer.received).toEqual([]);
    peer.send(message(USERAUTH_SUCCESS));
    await peer.session.authenticated;
    await peer.next(CHANNEL_OPEN);
  });

  it("may lie in the bytes that came before the adoption", async () => {
    const peer = createPeer(waiting(), { replay: [message(USERAUTH_SUCCESS)] });
    await peer.session.authenticated;
  });

  it("as a refusal is AUTH_REFUSED and names what the server takes", async () => {
    const peer = createPeer(waiting());
    const { pipe } = peer.session.exec("true", drop);
    const failed = new Promise((resolve) => pipe.once("error", resolve));
    peer.send(message(USERAUTH_FAILURE, "publickey,password", false));
    await expect(peer.session.authenticated).rejects.toMatchObject({
      code: "AUTH_REFUSED",
      message: "web1: the server refused the login (it takes publickey,password)",
    });
    expect(await failed).toMatchObject({ code: "AUTH_REFUSED" });
    expect(peer.pipe.destroyed).toBe(true);
  });

  it("at servers that number channels from 0 has the command and 16 kB of its input behind the login", async () => {
    const peer = createPeer(waiting("SSH-2.0-OpenSSH_9.2p1"));
    const { pipe } = peer.session.exec("cat", drop);
    pipe.write(randomBytes(50_000));
    const id = 0;
    await peer.next(CHANNEL_OPEN);
    expect((await peer.next(CHANNEL_REQUEST)).uint32()).toBe(0);
    const early = await peer.next(CHANNEL_DATA);
    expect([early.uint32(), early.bytes().length]).toEqual([0, 16384]);
    await settle();
    expect(peer.received).toEqual([]);
    // OpenSSH confirms with a window of 0 and grants 2 MiB after the exec
    peer.send(message(USERAUTH_SUCCESS), message(CHANNEL_OPEN_CONFIRMATION, id, 0, 0, 32768));
    await settle();
    expect(peer.received).toEqual([]);
    peer.send(message(CHANNEL_WINDOW_ADJUST, id, 20_000));
    const later = await peer.next(CHANNEL_DATA);
    expect([later.uint32(), later.bytes().length]).toEqual([0, 20_000 - 16384]);
  });

  it("that was told before the session came here lets nothing be guessed: the command waits for its channel, and a refusal of that ends no session", async () => {
    const { rekey } = freshState();
    const serverIdent = Buffer.from("SSH-2.0-OpenSSH_9.2p1");
    const peer = createPeer({ ...freshState(), rekey: { ...rekey, serverIdent } });
    const { pipe } = peer.session.exec("cat", drop);
    const refused = new Promise((resolve) => pipe.once("error", resolve));
    const id = await peer.next(CHANNEL_OPEN).then((open) => [open.text(), open.uint32()][1]);
    await settle();
    expect(peer.received).toEqual([]);
    peer.send(message(CHANNEL_OPEN_FAILURE, id as number, 1, "open failed", ""));
    expect(await refused).toMatchObject({ code: "SSH_CHANNEL_REFUSED" });
    expect(peer.session.over).toBe(false);
  });

  it("is over when a guess about the channel's number was wrong", async () => {
    const peer = createPeer(waiting("SSH-2.0-dropbear_2022.83"));
    peer.session.exec("cat", drop).pipe.on("error", drop);
    peer.send(message(USERAUTH_SUCCESS), message(CHANNEL_OPEN_CONFIRMATION, 0, 42, 1000, 1000));
    expect(await outcome(peer)).toBe("SSH_PROTOCOL");
  });
});

describe("a command's pipe", () => {
  it("sends no more than the server's window and packet size allow, and holds the writer back", async () => {
    const peer = await running(5000, 2000);
    let taken = false;
    peer.stdio.write(Buffer.alloc(9000, 1), () => {
      taken = true;
    });
    const sizes: number[] = [];
    for (let i = 0; i < 3; i++) {
      const data = await peer.next(CHANNEL_DATA);
      data.uint32();
      sizes.push(data.bytes().length);
    }
    await settle();
    expect([sizes, peer.received, taken]).toEqual([[2000, 2000, 1000], [], false]);
    peer.send(message(CHANNEL_WINDOW_ADJUST, peer.id, 4000));
    await peer.next(CHANNEL_DATA);
    await peer.next(CHANNEL_DATA);
    await settle();
    expect(taken).toBe(true);
  });

  it("gives the window back as data is read, not as it comes", async () => {
    const peer = await running();
    const piece = Buffer.alloc(32768);
    for (let i = 0; i < 64; i++) peer.send(message(CHANNEL_DATA, peer.id, piece));
    await settle();
    expect(peer.received).toEqual([]);
    let read = 0;
    peer.stdio.on("data", (chunk: Buffer) => {
      read += chunk.length;
    });
    let granted = 0;
    while (granted < 2 * MB) {
      const adjust = await peer.next(CHANNEL_WINDOW_ADJUST);
      adjust.uint32();
      granted += adjust.uint32();
    }
    expect([read, granted]).toEqual([2 * MB, 2 * MB]);
  });

  it("is cut with its session when the server sends more than it was granted", async () => {
    const peer = await running();
    for (let i = 0; i < 65; i++) peer.send(message(CHANNEL_DATA, peer.id, Buffer.alloc(32768)));
    expect(await outcome(peer)).toBe("SSH_PROTOCOL");
    expect(peer.pipe.destroyed).toBe(true);
  });

  // 200,000 packets are sealed and opened
  it("keeps memory flat under messages of one byte that nobody reads", { timeout: 120_000 }, async () => {
    const peer = await running();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 200; i++)
      peer.send(...Array.from({ length: 1000 }, () => message(CHANNEL_DATA, peer.id, Buffer.of(i))));
    await settle();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(60 * MB);
    let read = 0;
    for await (const chunk of peer.stdio) {
      read += (chunk as Buffer).length;
      if (read === 200_000) break;
    }
    expect(read).toBe(200_000);
  });

  it("hands stderr over apart, with its share of the window", async () => {
    const lines: string[] = [];
    const peer = await running(MB, 32768, (chunk) => lines.push(chunk.toString()));
    peer.send(message(CHANNEL_EXTENDED_DATA, peer.id, 1, "oh no"));
    for (let i = 0; i < 16; i++) peer.send(message(CHANNEL_EXTENDED_DATA, peer.id, 1, Buffer.alloc(32768)));
    await peer.next(CHANNEL_WINDOW_ADJUST);
    expect(lines[0]).toBe("oh no");
  });

  it("ends with the output; the exit status follows and the channel is closed on both sides", async () => {
    const peer = await running();
    const output: Buffer[] = [];
    peer.stdio.on("data", (chunk: Buffer) => output.push(chunk));
    const ended = new Promise((resolve) => peer.stdio.once("end", resolve));
    peer.stdio.end("bye");
    peer.send(message(CHANNEL_DATA, peer.id, "done"), message(CHANNEL_EOF, peer.id));
    await ended;
    expect(Buffer.concat(output).toString()).toBe("done");
    await peer.next(CHANNEL_DATA);
    await peer.next(CHANNEL_EOF);
    await settle();
    expect(peer.received).toEqual([]);
    peer.send(message(CHANNEL_REQUEST, peer.id, "exit-status", false, 9), message(CHANNEL_CLOSE, peer.id));
    expect(await peer.exit).toEqual({ code: 9, signal: undefined });
    await peer.next(CHANNEL_CLOSE);
    await settle();
    expect([peer.stdio.destroyed, peer.stdio.errored]).toEqual([true, null]);
  });

  it("delivers everything that came before the close, even to a late reader", async () => {
    const peer = await running();
    const sent = randomBytes(300_000);
    for (let at = 0; at < sent.length; at += 30_000)
      peer.send(message(CHANNEL_DATA, peer.id, sent.subarray(at, at + 30_000)));
    peer.send(message(CHANNEL_REQUEST, peer.id, "exit-signal", false, "KILL", false, "", ""));
    peer.send(message(CHANNEL_CLOSE, peer.id));
    expect(await peer.exit).toEqual({ code: undefined, signal: "KILL" });
    const chunks: Buffer[] = [];
    for await (const chunk of peer.stdio) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  });

  it("that is destroyed closes the channel; what still comes is dropped", async () => {
    const peer = await running();
    peer.stdio.destroy();
    await peer.next(CHANNEL_CLOSE);
    peer.send(
      message(CHANNEL_DATA, peer.id, "late"),
      message(CHANNEL_EOF, peer.id),
      message(CHANNEL_CLOSE, peer.id),
    );
    expect(await peer.exit).toEqual({ code: undefined, signal: undefined });
    expect(peer.received).toEqual([]);
  });

  it("fails writes that the command no longer reads", async () => {
    const peer = await running(0);
    const failed = new Promise((resolve) => peer.stdio.once("error", resolve));
    peer.stdio.resume().write("unread");
    peer.send(message(CHANNEL_CLOSE, peer.id));
    expect(await failed).toMatchObject({ code: "CHANNEL_CLOSED" });
  });

  it.each([
    ["opens no session", (id: number) => message(CHANNEL_OPEN_FAILURE, id, 1, "no\nmore", "")],
    ["runs no command", (id: number) => message(CHANNEL_FAILURE, id)],
  ])("fails with SSH_CHANNEL_REFUSED where the server %s; the session stays", async (_name, answer) => {
    const peer = createPeer();
    const { pipe, exit } = peer.session.exec("cat", drop);
    const failed = new Promise<Error>((resolve) => pipe.once("error", resolve));
    await peer.next(CHANNEL_OPEN);
    if (answer(0)[0] === CHANNEL_FAILURE) peer.send(message(CHANNEL_OPEN_CONFIRMATION, 0, 3, MB, MB));
    peer.send(answer(0));
    expect(await failed).toMatchObject({ code: "SSH_CHANNEL_REFUSED" });
    expect((await failed).message).not.toMatch(/\n/);
    if (answer(0)[0] === CHANNEL_FAILURE) peer.send(message(CHANNEL_CLOSE, 0));
    expect(await exit).toEqual({ code: undefined, signal: undefined });
    peer.received.length = 0;
    peer.session.exec("again", drop);
    await peer.next(CHANNEL_OPEN);
  });
});

describe("a connection that the server makes", () => {
  const connecting = async () => {
    const peer = createPeer();
    const { pipe } = peer.session.exec({ host: "10.0.0.9", port: 22 }, drop);
    const open = await peer.next(CHANNEL_OPEN);
    expect(open.text()).toBe("direct-tcpip");
    const id = open.uint32();
    open.uint32();
    open.uint32();
    expect([open.text(), open.uint32(), open.text(), open.uint32()]).toEqual([
      "10.0.0.9",
      22,
      "127.0.0.1",
      0,
    ]);
    return { peer, pipe, id };
  };

  it("is asked for by address, and carries bytes without any command", async () => {
    const { peer, pipe, id } = await connecting();
    peer.send(message(CHANNEL_OPEN_CONFIRMATION, id, 42, MB, 32768));
    pipe.write("to there");
    const data = await peer.next(CHANNEL_DATA);
    expect([data.uint32(), data.text()]).toEqual([42, "to there"]);
    peer.send(message(CHANNEL_DATA, id, "from there"));
    expect(String(await new Promise((resolve) => pipe.once("data", resolve)))).toBe("from there");
    expect(peer.received.some((payload) => payload[0] === CHANNEL_REQUEST)).toBe(false);
  });

  it("that was closed is SSH_DISCONNECTED to who writes before its end is read, as a socket that is reset", async () => {
    const { peer, pipe, id } = await connecting();
    peer.send(message(CHANNEL_OPEN_CONFIRMATION, id, 42, MB, 32768));
    pipe.resume();
    await settle();
    const failed = new Promise<Error>((resolve) => pipe.once("error", resolve));
    pipe.pause();
    peer.send(message(CHANNEL_DATA, id, "Exceeded MaxStartups"), message(CHANNEL_CLOSE, id));
    await settle();
    pipe.write("SSH-2.0-mop");
    expect(await failed).toMatchObject({
      code: "SSH_DISCONNECTED",
      message: "10.0.0.9:22: the connection was closed",
    });
  });

  it.each([
    ["may not", 1, "FORWARDING_REFUSED"],
    ["can't", 2, "CONNECT_UNREACHABLE"],
    ["knows no forwarding", 3, "FORWARDING_REFUSED"],
  ])(
    "fails with a code of its own where the server %s (reason %d); the session stays",
    async (_name, reason, code) => {
      const { peer, pipe, id } = await connecting();
      const failed = new Promise<Error>((resolve) => pipe.once("error", resolve));
      peer.send(message(CHANNEL_OPEN_FAILURE, id, reason, "no\nway", ""));
      expect(await failed).toMatchObject({ code, message: "10.0.0.9:22: no way" });
      peer.session.exec("again", drop);
      await peer.next(CHANNEL_OPEN);
    },
  );
});

describe("a server's own requests", () => {
  it("are answered where it wants an answer, and only there", async () => {
    const peer = createPeer();
    peer.send(
      message(GLOBAL_REQUEST, "hostkeys-00@openssh.com", false, "key"),
      message(GLOBAL_REQUEST, "keepalive@openssh.com", true),
      message(CHANNEL_OPEN, "x11", 17, 1000, 1000),
      message(200, "what"),
      message(2, "ignored"),
      message(4, false, "debug", ""),
    );
    await peer.next(REQUEST_FAILURE);
    const refusal = await peer.next(CHANNEL_OPEN_FAILURE);
    expect([refusal.uint32(), refusal.uint32()]).toEqual([17, 1]);
    // The number of the packet that was not understood: the state began at 7
    expect((await peer.next(UNIMPLEMENTED)).uint32()).toBe(10);
    await settle();
    expect(peer.received).toEqual([]);
  });

  it("are bounded: who asks without reading the answers is cut", { timeout: 120_000 }, async () => {
    const peer = createPeer();
    peer.stall(true);
    const flood = Array.from({ length: 1000 }, () => message(GLOBAL_REQUEST, "keepalive@openssh.com", true));
    for (let i = 0; i < 200 && !peer.pipe.destroyed; i++) {
      peer.send(...flood);
      await settle();
    }
    expect(await outcome(peer)).toBe("SSH_PROTOCOL");
  });
});

describe("a session's end", () => {
  it("by the server carries its reason in one line", async () => {
    const peer = await running();
    const failed = new Promise((resolve) => peer.stdio.once("error", resolve));
    peer.send(message(DISCONNECT, 2, "too many\r\nfailures \u001b[31m", ""));
    const error = await peer.session.closed;
    expect(error).toMatchObject({
      code: "SSH_DISCONNECTED",
      message: "web1: the server ended the session: too many failures  [31m",
    });
    expect(await failed).toBe(error);
    expect(await peer.exit).toEqual({ code: undefined, signal: undefined });
  });

  it("by a cut connection is SSH_DISCONNECTED", async () => {
    const peer = await running();
    peer.end();
    expect(await outcome(peer)).toBe("SSH_DISCONNECTED");
  });

  it("by ourselves says goodbye, ends commands without an error, refuses later ones and wipes the keys", async () => {
    const state = freshState();
    const peer = createPeer(state);
    const { pipe } = peer.session.exec("cat", drop);
    await peer.next(CHANNEL_OPEN);
    peer.session.close();
    expect(await peer.session.closed).toBeUndefined();
    const goodbye = await peer.next(DISCONNECT);
    expect(goodbye.uint32()).toBe(11);
    expect([pipe.destroyed, pipe.errored]).toEqual([true, null]);
    expect(peer.session.exec("more", drop).pipe.destroyed).toBe(true);
    for (const key of [state.outbound.key, state.inbound.key, state.outbound.iv])
      expect(Buffer.from(key).equals(Buffer.alloc(key.length))).toBe(true);
    peer.raw(randomBytes(100));
    await settle();
  });

  it.each([
    ["data on a channel that isn't open", message(CHANNEL_DATA, 99, "x")],
    ["a confirmation that nobody asked for", message(CHANNEL_OPEN_CONFIRMATION, 0, 1, 1, 1)],
    ["a message that is cut short", message(CHANNEL_WINDOW_ADJUST)],
    ["a length beyond the message", message(CHANNEL_REQUEST, 0).subarray(0, 3)],
    ["a service request", message(5, "ssh-userauth")],
    ["NEWKEYS without an exchange", message(21)],
    ["a key exchange reply without an exchange", message(31, "", "", "")],
    ["a KEXINIT that is cut short", message(20, "x")],
  ])("comes with SSH_PROTOCOL after %s", async (_name, payload) => {
    const peer = createPeer();
    peer.send(payload);
    expect(await outcome(peer)).toBe("SSH_PROTOCOL");
  });

  it("comes, without a crash, from any message of random content", async () => {
    for (let type = 1; type < 256; type++) {
      const peer = await running();
      peer.send(Buffer.concat([Buffer.of(type), randomBytes(type % 40)]));
      await settle();
      peer.end();
      expect(await outcome(peer)).toMatch(/^SSH_/);
    }
  });
});
