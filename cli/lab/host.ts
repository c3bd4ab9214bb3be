import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import type { AuthContext, Connection, ParsedKey, ServerChannel, Session } from "ssh2";
import ssh2 from "ssh2";

/** How a lab host differs from a well-behaved one. */
export interface LabHostQuirks {
  /** false: takes no key at all */
  readonly acceptsKey?: boolean;
  /** Takes this password too */
  readonly password?: string;
  /** Asks for the password and then for this code, in questions of its own (keyboard-interactive); takes no bare password */
  readonly code?: string;
  /** Text on stdout before each command's own, as a chatty .bashrc gives it */
  readonly noise?: string;
  /** The same on stderr */
  readonly stderrNoise?: string;
  /** SSH's banner, shown before the login */
  readonly banner?: string;
  /** PATH of the commands; "" finds nothing. Default: this process's own */
  readonly path?: string;
  /** Software part of the SSH identification, "OpenSSH_9.2p1" */
  readonly ident?: string;
  /** First connections that it ends before it says who it is, with a text or a reset in turn, as sshd at its limits */
  readonly drops?: number;
  /** Other environment of the commands */
  readonly env?: Readonly<Record<string, string>>;
}

export interface LabHostSettings extends LabHostQuirks {
  readonly name: string;
  readonly address: string;
  readonly user: string;
  /** OpenSSH private key */
  readonly hostKey: string;
  readonly userKey: ParsedKey;
  /** The host's own folder: home and working folder of what runs there */
  readonly folder: string;
  /** Addresses ("host:port") that TCP forwarding may go to; asked at each connection */
  readonly mayConnect: (address: string) => boolean;
}

/** A host of the lab: an SSH server on loopback whose commands are real processes. */
export interface LabHost {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly folder: string;
  /** Process ids (each the leader of its group) of commands that run now */
  readonly pids: readonly number[];
  /** Connections that were made so far */
  readonly connections: number;
  /** Sessions that logged in so far */
  readonly logins: number;
  /** Signals every process group that an SSH command started here. */
  kill(signal?: NodeJS.Signals): void;
  /** Breaks all connections with RST, as a router that lost its state. */
  drop(): void;
  /** Stops listening (connections are refused from now on); what is connected stays. */
  refuse(): Promise<void>;
  /** Ends all connections and processes. */
  close(): Promise<void>;
}

/** What a closing host's processes get to end by themselves, as they must when their link goes; in ms. */
const GRACE_MS = 2000;

/** Whether the login is good: the user's key with a right signature (or asked about without one), or the password. */
function isGood(context: AuthContext, settings: LabHostSettings): boolean {
  if (context.username !== settings.user) return false;
  if (context.method === "password") return context.password === settings.password;
  if (context.method !== "publickey" || settings.acceptsKey === false) return false;
  if (!context.key.data.equals(settings.userKey.getPublicSSH())) return false;
  const { blob, signature, hashAlgo } = context;
  if (signature === undefined) return true;
  return blob !== undefined && settings.userKey.verify(blob, signature, hashAlgo) === true;
}

class RunningHost implements LabHost {
  readonly name: string;
  readonly address: string;
  readonly folder: string;
  port = 0;
  connections = 0;
  logins = 0;
  private readonly settings: LabHostSettings;
  private readonly sockets = new Set<net.Socket>();
  private readonly children = new Set<ChildProcess>();
  private readonly listener: net.Server;
  private readonly ssh: InstanceType<typeof ssh2.Server>;

  constructor(settings: LabHostSettings) {
    this.settings = settings;
    this.name = settings.name;
    this.address = settings.address;
    this.folder = settings.folder;
    this.ssh = new ssh2.Server(
      {
        hostKeys: [settings.hostKey],
        ...(settings.banner === undefined ? {} : { banner: settings.banner }),
        ...(settings.ident === undefined ? {} : { ident: settings.ident }),
      },
      (connection) => this.connected(connection),
    );
    this.listener = net.createServer({ noDelay: true }, (socket) => {
      this.sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => this.sockets.delete(socket));
      if (this.connections++ < (settings.drops ?? 0)) {
        if (this.connections % 2) socket.end("Exceeded MaxStartups\r\n");
        else socket.resetAndDestroy();
        return;
      }
      this.ssh.injectSocket(socket);
    });
  }

  async start(): Promise<void> {
    mkdirSync(path.join(this.folder, "tmp"), { recursive: true });
    await new Promise<void>((resolve, reject) => {
      this.listener.once("error", reject).listen(0, this.address, resolve);
    });
    this.port = (this.listener.address() as net.AddressInfo).port;
  }

  get pids(): readonly number[] {
    return [...this.children].flatMap((child) => child.pid ?? []);
  }

  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    for (const pid of this.pids) {
      try {
        process.kill(-pid, signal);
      } catch (error) {
        // Ended between our look and the signal.
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
  }

  drop(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  refuse(): Promise<void> {
    // `close` waits for connections too; listening ends at once.
    this.listener.close();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.listener.close();
    const ended = Promise.all(
      [...this.children].map((child) => new Promise((resolve) => child.once("exit", resolve))),
    );
    for (const socket of this.sockets) socket.destroy();
    const late = setTimeout(() => this.kill(), GRACE_MS);
    await ended;
    clearTimeout(late);
  }

  private connected(connection: Connection): void {
    connection.on("error", () => {});
    connection.on("authentication", (context) => {
      const { password, code } = this.settings;
      const method = code !== undefined ? "keyboard-interactive" : "password";
      const refuse = () => context.reject(password === undefined ? ["publickey"] : ["publickey", method]);
      if (code !== undefined && context.method === "keyboard-interactive")
        context.prompt([{ prompt: "Password: " }, { prompt: "Code: ", echo: true }], (answers) => {
          if (answers[0] === password && answers[1] === code) context.accept();
          else refuse();
        });
      else if (isGood(context, this.settings) && (code === undefined || context.method === "publickey"))
        context.accept();
      else refuse();
    });
    connection.on("ready", () => {
      this.logins++;
    });
    connection.on("session", (accept) => this.session(accept()));
    connection.on("tcpip", (accept, reject, { destIP, destPort }) => {
      if (!this.settings.mayConnect(`${destIP}:${destPort}`)) return reject();
      const socket = net.connect({ host: destIP, port: destPort, noDelay: true });
      // A reset comes behind the answer: sshd has accepted the channel by then
      socket.once("error", ({ code }: NodeJS.ErrnoException) =>
        code === "ECONNRESET" ? accept().end() : reject(),
      );
      socket.once("connect", () => {
        socket.removeAllListeners("error");
        const channel = accept();
        channel.on("error", () => socket.destroy());
        socket.on("error", () => channel.end());
        channel.on("close", () => socket.destroy());
        channel.pipe(socket);
        socket.pipe(channel);
      });
    });
  }

  private session(session: Session): void {
    let child: ChildProcess | undefined;
    session.on("exec", (accept, _reject, { command }) => {
      child = this.exec(accept(), command);
    });
    session.on("signal", (accept, _reject, { name }) => {
      accept?.();
      if (child?.pid !== undefined && child.exitCode === null) process.kill(-child.pid, `SIG${name}`);
    });
  }

  /** As sshd does it: the user's shell with the command, stdio on the channel, status at the end. */
  private exec(channel: ServerChannel, command: string): ChildProcess {
    const { folder, settings } = this;
    const child = spawn("/bin/sh", ["-c", command], {
      cwd: folder,
      // A group of its own, as a session of sshd: it can be ended without a look for its descendants.
      detached: true,
      env: {
        PATH: settings.path ?? process.env.PATH ?? "",
        HOME: folder,
        TMPDIR: path.join(folder, "tmp"),
        USER: settings.user,
        LOGNAME: settings.user,
        SHELL: "/bin/sh",
        SSH_CONNECTION: `127.0.0.1 0 ${this.address} ${this.port}`,
        ...settings.env,
      },
    });
    this.children.add(child);
    if (settings.noise !== undefined) channel.write(settings.noise);
    if (settings.stderrNoise !== undefined) channel.stderr.write(settings.stderrNoise);
    // The client may be gone at any moment: then the command sees a closed stdin and a broken pipe, no more.
    for (const stream of [channel, channel.stderr, child.stdin, child.stdout, child.stderr])
      stream.on("error", () => {});
    channel.pipe(child.stdin);
    child.stdout.pipe(channel, { end: false });
    child.stderr.pipe(channel.stderr, { end: false });
    channel.once("close", () => {
      child.stdin.destroy();
      child.stdout.destroy();
      child.stderr.destroy();
    });
    child.once("error", (error) => {
      this.children.delete(child);
      channel.stderr.write(`${error.message}\n`);
      channel.exit(127);
      channel.end();
    });
    child.once("exit", () => this.children.delete(child));
    child.once("close", (status, signal) => {
      if (signal) channel.exit(signal.slice(3));
      else channel.exit(status ?? 255);
      channel.end();
    });
    return child;
  }
}

/** Starts an SSH server for one host of the lab. */
export async function startLabHost(settings: LabHostSettings): Promise<LabHost> {
  const host = new RunningHost(settings);
  await host.start();
  return host;
}
