/** A command's channel that goes ahead of the server's word: for servers whose first channel is known to be number 0. */
import { MopError } from "../errors.js";
import type { ChannelConfirmation, ClientChannel, Ssh2Core } from "./internals.js";

/** Number of a session's first channel, on our side always and on theirs as guessed */
const FIRST = 0;
/**
 * Bytes that may go out before the server has named its window: half of OpenSSH's first one, which has been 2 MiB since
 * its release 4.7 of 2007, and as much of Dropbear's 24 kB as any of its builds has.
 */
const WINDOWS = { openssh: 1 << 20, dropbear: 16 * 1024 } as const;
/** What OpenSSH and Dropbear take in one message */
const PACKET = 32 * 1024;

/**
 * The window to begin with at a server that gives the first channel the number 0; undefined for one that may not: libssh
 * counts from 42, for one.
 */
export function windowAhead(serverIdent: string): number | undefined {
  const name = /^SSH-2\.0-(OpenSSH|dropbear)(?:_|$|\s)/i.exec(serverIdent)?.[1]?.toLowerCase();
  return name === "openssh" || name === "dropbear" ? WINDOWS[name] : undefined;
}

/**
 * Opens the session's first channel, runs the command in it and hands the channel out, all before the server has
 * answered. `lost` is called at most once, when the server's answers are not the expected ones: nothing of the session
 * can be used then.
 */
export function execAhead(
  core: Ssh2Core,
  command: string,
  window: number,
  lost: (error: MopError) => void,
): ClientChannel {
  const { handlers, client } = core;
  const { CHANNEL_OPEN_CONFIRMATION: confirm, CHANNEL_OPEN_FAILURE: refuse } = handlers;
  const { CHANNEL_SUCCESS: succeed, CHANNEL_FAILURE: fail, CHANNEL_WINDOW_ADJUST: adjust } = handlers;
  let opened: ClientChannel | undefined;
  let problem: Error | undefined;
  client.exec(command, {}, (error, channel) => {
    problem = error;
    opened = channel;
  });
  confirm(undefined, { recipient: FIRST, sender: FIRST, window, packetSize: PACKET });
  succeed(undefined, FIRST);
  if (!opened) throw problem ?? new Error("ssh2 opened no channel");

  /** Window that was taken in advance and that the server still has to grant */
  let owed = window;
  const grant = (protocol: unknown, bytes: number) => {
    const settled = Math.min(owed, bytes);
    owed -= settled;
    if (owed === 0) handlers.CHANNEL_WINDOW_ADJUST = adjust;
    if (bytes > settled) adjust(protocol, FIRST, bytes - settled);
  };
  const confirmed = () => {
    handlers.CHANNEL_OPEN_CONFIRMATION = confirm;
    handlers.CHANNEL_OPEN_FAILURE = refuse;
  };
  const answered = () => {
    handlers.CHANNEL_SUCCESS = succeed;
    handlers.CHANNEL_FAILURE = fail;
  };
  handlers.CHANNEL_OPEN_CONFIRMATION = (protocol, info: ChannelConfirmation) => {
    if (info.recipient !== FIRST) return confirm(protocol, info);
    confirmed();
    if (info.sender === FIRST) return grant(protocol, info.window);
    lost(new MopError("SSH_PROTOCOL", `the first channel has the number ${info.sender}, not ${FIRST}`));
  };
  handlers.CHANNEL_OPEN_FAILURE = (protocol, recipient, reason, description) => {
    if (recipient !== FIRST) return refuse(protocol, recipient, reason, description);
    confirmed();
    lost(new MopError("SSH_CHANNEL_REFUSED", description || "no reason given"));
  };
  handlers.CHANNEL_WINDOW_ADJUST = (protocol, recipient, bytes) => {
    if (recipient === FIRST) grant(protocol, bytes);
    else adjust(protocol, recipient, bytes);
  };
  handlers.CHANNEL_SUCCESS = (protocol, recipient) => {
    if (recipient !== FIRST) return succeed(protocol, recipient);
    answered();
  };
  handlers.CHANNEL_FAILURE = (protocol, recipient) => {
    if (recipient !== FIRST) return fail(protocol, recipient);
    answered();
    lost(new MopError("SSH_CHANNEL_REFUSED", "the command may not be run"));
  };
  return opened;
}
