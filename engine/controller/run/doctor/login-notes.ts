import { randomBytes } from "node:crypto";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { DialSocket } from "../../../../relay/mesh/ways.js";
import type { Connection } from "../../../../transport/ssh/connection.js";
import { readEntries } from "../../../../transport/ssh/host-key.js";
import { verdict } from "../../../../transport/ssh/known-hosts.js";
import { createLogin } from "../../../../transport/ssh/login.js";
import { plain } from "../../../../transport/ssh/plain.js";
import { fingerprint } from "../../../../transport/ssh/public-key.js";
import { dialSocket } from "../../../../transport/ssh/tcp.js";
import type { Login, SshSession, Target } from "../../../../transport/ssh/types.js";
import type { AuthPort, AuthReply } from "../../../../transport/ssh/userauth.js";

/** Milliseconds that a shell may take to say what it was told to. */
const SHELL_MS = 10_000;
/** Of what a shell says by itself, so much is told. */
const NOISE_SHOWN = 80;

/** What was seen of one host's login, as far as it came. */
export class LoginNotes {
  addresses: readonly string[] | undefined;
  connectMs: number | undefined;
  connection: Connection | undefined;
  /** What the server takes, by its own words */
  offered: readonly string[] | undefined;
  /** "publickey /home/alice/.ssh/id_ed25519: accepted" */
  readonly tried: string[] = [];
  /** What the shell says by itself; undefined: nothing was run there */
  noise: string | undefined;

  /** Where the host key that was accepted is known from. */
  async hostKey(target: Target): Promise<string | undefined> {
    const key = this.connection?.verifier.pinned;
    if (!key) return undefined;
    if (target.hostKeys === "off") return `${fingerprint(key)}, not checked (--host-keys off)`;
    const entries = await Promise.all(
      target.knownHostsFiles.map((file) => readEntries(file).catch(() => [])),
    );
    const found = verdict(entries.flat(), target.address, target.port, key, target.hostKeyAlias);
    if (found.kind !== "known") return `${fingerprint(key)}, accepted as new`;
    return `${fingerprint(key)}, known from ${found.entry.file}, line ${found.entry.line}`;
  }
}

/** A login that notes what it meets, by the name of the host. Nothing goes ahead of its answers. */
export function notedLogin(runsCommands: (name: string) => boolean) {
  const all = new Map<string, LoginNotes>();
  const of = (name: string): LoginNotes => {
    const notes = all.get(name) ?? new LoginNotes();
    all.set(name, notes);
    return notes;
  };
  const inner = createLogin({
    opened: ({ name }, connection) => {
      of(name).connection = connection;
    },
    through: ({ name }, port) => notedPort(port, of(name)),
  });
  const login: Login = async (openPipe, target, options) => {
    const session = await inner(openPipe, target, { ...options, pace: "plain" });
    await session.authenticated;
    const notes = of(target.name);
    if (runsCommands(target.name)) notes.noise ??= await noiseOf(session);
    return session;
  };
  const dial: DialSocket = async (target, signal) => {
    const { name, address, port, connectTimeoutMs, tcpTimeoutMs } = target;
    const notes = of(name);
    // What can't be found is the dial's to tell
    const found = await lookup(address, { all: true }).catch(() => []);
    notes.addresses = isIP(address) ? [] : found.map((one) => one.address);
    const started = performance.now();
    const socket = await dialSocket(address, port, tcpTimeoutMs ?? connectTimeoutMs, signal, target);
    notes.connectMs = performance.now() - started;
    return socket;
  };
  return { login, dialSocket: dial, of };
}

/** Asks first what the server takes, which a login that succeeds at once never hears. */
function notedPort(port: AuthPort, notes: LoginNotes): AuthPort {
  let asked: Promise<AuthReply> | undefined;
  const note = (what: string, reply: AuthReply | undefined): void => {
    if (reply?.type === "questions" || reply?.type === "acceptable") return;
    const outcome =
      reply === undefined
        ? "not used, its passphrase was not given"
        : reply.type === "success"
          ? "accepted"
          : reply.type === "expired"
            ? "expired"
            : reply.type === "failure" && reply.partial
              ? "accepted, but more is asked for"
              : "refused";
    if (reply?.type === "failure") notes.offered = reply.methods;
    notes.tried.push(`${what}: ${outcome}`);
  };
  const first = async (): Promise<AuthReply> => {
    asked ??= port.none().then((reply) => {
      if (reply.type === "failure") notes.offered = reply.methods;
      else note("no proof at all", reply);
      return reply;
    });
    return asked;
  };
  const behind = async <T extends AuthReply | undefined>(
    what: string,
    request: () => Promise<T>,
  ): Promise<T | AuthReply> => {
    const opening = await first();
    if (opening.type === "success") return opening;
    const reply = await request();
    note(what, reply);
    return reply;
  };
  return {
    none: first,
    query: (credential) => behind(`key ${credential.label}`, () => port.query(credential)),
    signed: async (credential) => {
      const reply = await port.signed(credential);
      note(`key ${credential.label}`, reply);
      return reply;
    },
    password: (password) => behind("password", () => port.password(password)),
    keyboard: () => behind("keyboard-interactive", () => port.keyboard()),
    answer: async (answers) => {
      const reply = await port.answer(answers);
      note("keyboard-interactive", reply);
      return reply;
    },
  };
}

/** What a shell says before and beside the one word that it is told to say; undefined where that doesn't come. */
async function noiseOf(session: SshSession): Promise<string | undefined> {
  const word = randomBytes(12).toString("hex");
  let stdout = "";
  let stderr = "";
  const pipe = await session.exec(`echo ${word}`, (chunk) => {
    stderr += chunk.toString("utf8");
  });
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, SHELL_MS);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    pipe.on("data", (chunk: Buffer) => {
      stdout += chunk.toString("utf8");
      if (stdout.length > 1 << 16) done();
    });
    pipe.once("end", done).once("close", done).once("error", done);
  });
  pipe.destroy();
  const at = stdout.indexOf(word);
  if (at < 0) return undefined;
  return shown(`${stdout.slice(0, at)}${stderr}${stdout.slice(at + word.length)}`);
}

const shown = (text: string): string => {
  const line = plain(text);
  return line.length > NOISE_SHOWN ? `${line.slice(0, NOISE_SHOWN)}... (${text.length} characters)` : line;
};
