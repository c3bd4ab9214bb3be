import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import ssh2 from "ssh2";
import { afterEach, describe, expect, test } from "vitest";
import { generateLabKey } from "../../../cli/lab/keys.js";
import { createLab, type Lab, type LabOptions } from "../../support/lab.js";

interface Ran {
  stdout: string;
  stderr: string;
  code: number | null;
  signal: string | undefined;
}

let lab: Lab;
const clients: ssh2.Client[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await lab.close();
});

const build = async (options: LabOptions = {}) => {
  lab = await createLab(options);
};

const login = (at: { host: string; port: number }, config: Partial<ssh2.ConnectConfig> = {}) =>
  new Promise<ssh2.Client>((resolve, reject) => {
    const client = new ssh2.Client();
    clients.push(client);
    // A connection that the lab's end breaks is no failure of the test.
    client.once("ready", () => resolve(client)).on("error", reject);
    client.connect({
      host: at.host,
      port: at.port,
      username: lab.user,
      privateKey: readFileSync(lab.identityFile),
      hostVerifier: () => true,
      ...config,
    });
  });

const place = (name: string) => ({ host: lab.host(name).address, port: lab.host(name).port });

const run = (client: ssh2.Client, command: string, input = "") =>
  new Promise<Ran>((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      const ran: Ran = { stdout: "", stderr: "", code: null, signal: undefined };
      channel.on("data", (chunk: Buffer) => {
        ran.stdout += chunk;
      });
      channel.stderr.on("data", (chunk: Buffer) => {
        ran.stderr += chunk;
      });
      channel.on("exit", (code: number | null, signal?: string) => Object.assign(ran, { code, signal }));
      channel.on("close", () => resolve(ran));
      channel.end(input);
    });
  });

const forward = (client: ssh2.Client, to: { host: string; port: number }) =>
  new Promise<ssh2.ClientChannel>((resolve, reject) => {
    client.forwardOut("127.0.0.1", 0, to.host, to.port, (error, channel) =>
      error ? reject(error) : resolve(channel),
    );
  });

test("every generated key is one that ssh2 reads, and signs with", async () => {
  await build({ leaves: 1 });
  for (let i = 0; i < 1000; i++) {
    const pair = generateLabKey();
    const own = ssh2.utils.parseKey(pair.private);
    const shown = ssh2.utils.parseKey(pair.public);
    if (own instanceof Error || shown instanceof Error) throw new Error(`key ${i} is malformed`);
    const text = Buffer.from("text");
    const signature = own.sign(text);
    expect(signature instanceof Error ? signature : shown.verify(text, signature)).toBe(true);
  }
});

describe("embedded lab", () => {
  test("a command has the host's folder as home and working folder, and its own stdio and status", async () => {
    await build({ leaves: 1 });
    const client = await login(place("l1"));
    const ran = await run(client, 'cat; echo "$HOME"; pwd; echo oops >&2; exit 7', "in\n");
    const { folder } = lab.host("l1");
    expect(ran).toEqual({
      stdout: `in\n${folder}\n${folder}\n`,
      stderr: "oops\n",
      code: 7,
      signal: undefined,
    });
  });

  test("a command ended by a signal is reported with its name", async () => {
    await build({ leaves: 1 });
    const ran = await run(await login(place("l1")), "kill -TERM $$");
    expect(ran.signal).toBe("SIGTERM");
  });

  test("a signal that the client sends reaches the command", async () => {
    await build({ leaves: 1 });
    const client = await login(place("l1"));
    const seen = await new Promise<string>((resolve, reject) => {
      client.exec(
        "trap 'echo caught; exit 3' INT; echo ready; while :; do sleep 0.05; done",
        (error, channel) => {
          if (error) return reject(error);
          let text = "";
          channel.on("data", (chunk: Buffer) => {
            text += chunk;
            if (text === "ready\n") channel.signal("INT");
          });
          channel.on("close", () => resolve(text));
        },
      );
    });
    expect(seen).toBe("ready\ncaught\n");
  });

  test("forwarding goes one layer down, and nowhere else", async () => {
    await build({ leaves: 2 });
    const b1 = await login(lab.link);
    const sock = await forward(b1, place("b2"));
    const b2 = await login(place("b2"), { sock });
    const leaf = await login(place("l2"), { sock: await forward(b2, place("l2")) });
    expect((await run(leaf, "echo here")).stdout).toBe("here\n");
    await expect(forward(b1, place("l2"))).rejects.toThrow();
    await expect(forward(b2, place("b1"))).rejects.toThrow();
    await expect(forward(leaf, place("l1"))).rejects.toThrow();
  });

  test("another key, another user and a host that takes no key are refused", async () => {
    await build({ leaves: 1, hosts: { l1: { acceptsKey: false } } });
    const other = generateLabKey().private;
    await expect(login(lab.link, { privateKey: other })).rejects.toThrow(/authentication/i);
    await expect(login(lab.link, { username: "eve" })).rejects.toThrow(/authentication/i);
    await expect(login(place("l1"))).rejects.toThrow(/authentication/i);
  });

  test("a host without PATH finds no program, a noisy one talks before the command", async () => {
    await build({ leaves: 2, hosts: { l1: { path: "" }, l2: { noise: "Welcome!\n" } } });
    expect((await run(await login(place("l1")), "node --version")).code).toBe(127);
    expect((await run(await login(place("l2")), "echo after")).stdout).toBe("Welcome!\nafter\n");
  });

  test("known_hosts has the right key, another or none, as asked", async () => {
    await build({ leaves: 3, hosts: { l2: { knownAs: "another" }, l3: { knownAs: "unknown" } } });
    const lines = readFileSync(lab.knownHostsFile, "utf8").trim().split("\n");
    const key = async (name: string) => {
      let seen = "";
      const hostVerifier = (blob: Buffer) => {
        seen = blob.toString("base64");
        return true;
      };
      await login(place(name), { hostVerifier });
      return seen;
    };
    const listed = (name: string) =>
      lines.find((line) => line.startsWith(`[${place(name).host}]:${place(name).port} `))?.split(" ")[2];
    expect(listed("l1")).toBe(await key("l1"));
    expect(listed("l2")).toBeDefined();
    expect(listed("l2")).not.toBe(await key("l2"));
    expect(listed("l3")).toBeUndefined();
    expect(lines.some((line) => line.startsWith(`[${lab.link.host}]:${lab.link.port} `))).toBe(true);
  });

  test("closing ends what runs there and removes the folder", async () => {
    await build({ leaves: 1 });
    const client = await login(place("l1"));
    void run(client, "trap '' HUP; sleep 60");
    while (lab.host("l1").pids.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const [pid] = lab.host("l1").pids;
    await lab.close();
    expect(() => process.kill(pid!, 0)).toThrow(/ESRCH/);
    expect(existsSync(lab.folder)).toBe(false);
  });

  test("OpenSSH's own client gets through a bastion's forwarding", async ({ skip }) => {
    await build({ leaves: 1 });
    const ssh = (args: string[]) =>
      new Promise<{ missing: boolean; stdout: string }>((resolve, reject) =>
        execFile("ssh", args, (error, stdout) => {
          if (error && (error as NodeJS.ErrnoException).code === "ENOENT") resolve({ missing: true, stdout });
          else if (error) reject(error);
          else resolve({ missing: false, stdout });
        }),
      );
    const common = ["-i", lab.identityFile, "-o", `UserKnownHostsFile=${lab.knownHostsFile}`];
    common.push("-o", "BatchMode=yes", "-F", "none", "-l", lab.user);
    const { link } = lab;
    const b2 = place("b2");
    const jump = ["ssh", ...common, "-p", link.port, "-W", `${b2.host}:${b2.port}`, link.host].join(" ");
    const ran = await ssh([
      ...common,
      "-o",
      `ProxyCommand=${jump}`,
      "-p",
      String(b2.port),
      b2.host,
      "echo via b1",
    ]);
    if (ran.missing) skip("no ssh client on this machine");
    expect(ran.stdout).toBe("via b1\n");
  });
});
