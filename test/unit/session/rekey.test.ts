import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  CHANNEL_DATA,
  CHANNEL_OPEN,
  CHANNEL_OPEN_CONFIRMATION,
  CHANNEL_REQUEST,
  GLOBAL_REQUEST,
  KEXINIT,
  message,
  NEWKEYS,
  REQUEST_FAILURE,
} from "../../../relay/session/messages.js";
import { createPeer, type Peer, SUITES, settle } from "../../support/session-peer.js";
import {
  clientHalf,
  makeHostKey,
  serverExchange,
  serverInit,
  stateWith,
} from "../../support/session-rekey.js";

const drop = () => {};
const outcome = async (peer: Peer) => (await peer.session.closed)?.code;

/** Up to the client's ECDH_INIT; the server's answer is the test's. */
async function begun(damage: Parameters<typeof serverExchange>[4] = {}, options = {}) {
  const hostKey = makeHostKey();
  const state = stateWith(hostKey);
  const peer = createPeer(state, options);
  const ownInit = serverInit(state);
  peer.send(ownInit);
  const { init, publicValue } = await clientHalf(peer);
  return {
    peer,
    hostKey,
    state,
    publicValue,
    exchange: serverExchange(state, hostKey, init, ownInit, damage),
  };
}

describe("a key exchange that the server starts", () => {
  it.each(SUITES.flatMap((suite) => [[suite, true] as const, [suite, false] as const]))(
    "renews the keys of %s, strict: %s",
    async (suite, strict) => {
      const hostKey = makeHostKey();
      const state = stateWith(hostKey, suite, strict);
      const peer = createPeer(state);
      for (let round = 0; round < 3; round++) {
        const ownInit = serverInit(state);
        peer.send(ownInit);
        const { init, publicValue } = await clientHalf(peer);
        const exchange = serverExchange(state, hostKey, init, ownInit);
        peer.send(exchange.reply(publicValue), Buffer.of(NEWKEYS));
        await peer.next(NEWKEYS);
        exchange.apply(peer);
        peer.resume();
        peer.send(message(GLOBAL_REQUEST, "keepalive@openssh.com", true));
        await peer.next(REQUEST_FAILURE);
      }
    },
  );

  it("holds everything else back from KEXINIT on, and loses none of it", async () => {
    const hostKey = makeHostKey();
    const state = stateWith(hostKey);
    const peer = createPeer(state);
    const { pipe } = peer.session.exec("cat", drop);
    await peer.next(CHANNEL_OPEN);
    peer.send(message(CHANNEL_OPEN_CONFIRMATION, 0, 5, 100_000, 32768));
    await peer.next(CHANNEL_REQUEST);
    const ownInit = serverInit(state);
    peer.send(ownInit);
    const { init, publicValue } = await clientHalf(peer);
    pipe.write("queued");
    peer.session.exec("later", drop);
    peer.send(message(GLOBAL_REQUEST, "keepalive@openssh.com", true));
    await settle();
    expect(peer.received).toEqual([]);
    const exchange = serverExchange(state, hostKey, init, ownInit);
    peer.send(exchange.reply(publicValue));
    await peer.next(NEWKEYS);
    await settle();
    expect(peer.received).toEqual([]);
    peer.send(Buffer.of(NEWKEYS));
    exchange.apply(peer);
    await settle();
    peer.resume();
    await peer.next(CHANNEL_OPEN);
    await peer.next(REQUEST_FAILURE);
    const data = await peer.next(CHANNEL_DATA);
    expect([data.uint32(), data.text()]).toEqual([5, "queued"]);
  });

  it("overwrites the earlier keys", async () => {
    const { peer, state, publicValue, exchange } = await begun();
    peer.send(exchange.reply(publicValue), Buffer.of(NEWKEYS));
    await peer.next(NEWKEYS);
    for (const key of [state.outbound.key, state.inbound.key])
      expect(Buffer.from(key).equals(Buffer.alloc(key.length))).toBe(true);
  });

  it("is refused with another host key than the one the controller saw", async () => {
    const { peer, state, publicValue } = await begun();
    peer.send(serverExchange(state, makeHostKey(), Buffer.alloc(1), Buffer.alloc(1)).reply(publicValue));
    expect(await outcome(peer)).toBe("SSH_PROTOCOL");
    expect((await peer.session.closed)?.message).toMatch(/host key changed/);
  });

  it("is refused with a wrong signature", async () => {
    const { peer, publicValue, exchange } = await begun({ signature: true });
    peer.send(exchange.reply(publicValue));
    expect((await peer.session.closed)?.message).toMatch(/signature/);
  });

  it.each([
    ["zero", Buffer.alloc(32)],
    ["too short", randomBytes(31)],
    ["too long", randomBytes(33)],
    ["missing", Buffer.alloc(0)],
  ])("is refused with a public value that is %s", async (_name, point) => {
    const { peer, publicValue, exchange } = await begun({ point });
    peer.send(exchange.reply(publicValue));
    expect(await outcome(peer)).toBe("SSH_PROTOCOL");
  });

  it.each([0, 1, 2, 3, 6, 7])(
    "is refused when list %i of the offer lacks the session's algorithm",
    async (list) => {
      const state = stateWith(makeHostKey());
      const peer = createPeer(state);
      peer.send(serverInit(state, { [list]: "something-else" }));
      expect((await peer.session.closed)?.message).toMatch(/no longer offers/);
    },
  );

  it("is refused within another, and NEWKEYS before its reply", async () => {
    const first = await begun();
    first.peer.send(serverInit(first.state));
    expect(await outcome(first.peer)).toBe("SSH_PROTOCOL");
    const second = await begun();
    second.peer.send(Buffer.of(NEWKEYS));
    expect(await outcome(second.peer)).toBe("SSH_PROTOCOL");
  });

  it("that never ends bounds what waits for it", async () => {
    const { peer } = await begun();
    const flood = Array.from({ length: 10_000 }, () =>
      message(GLOBAL_REQUEST, "keepalive@openssh.com", true),
    );
    for (let i = 0; i < 150 && !peer.pipe.destroyed; i++) {
      peer.send(...flood);
      await settle();
    }
    expect(await outcome(peer)).toBe("SSH_PROTOCOL");
  });
});

describe("a key exchange that we start", () => {
  it("comes past the bytes allowed under one key, and meets one that the server started at once", async () => {
    const hostKey = makeHostKey();
    const state = stateWith(hostKey);
    const peer = createPeer(state, { rekeyBytes: 1001 });
    const ownInit = serverInit(state);
    peer.session.exec("cat", drop);
    await peer.next(CHANNEL_OPEN);
    const { payload: init } = await peer.take(KEXINIT);
    peer.send(ownInit);
    const publicValue = (await peer.next(30)).bytes();
    const exchange = serverExchange(state, hostKey, init, ownInit);
    peer.send(exchange.reply(publicValue), Buffer.of(NEWKEYS));
    await peer.next(NEWKEYS);
    exchange.apply(peer);
    peer.resume();
    peer.send(message(GLOBAL_REQUEST, "keepalive@openssh.com", true));
    await peer.next(REQUEST_FAILURE);
  });
});
