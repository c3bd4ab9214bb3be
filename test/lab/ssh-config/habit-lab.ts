/** Real sshds and the files that the configurations of cases.ts speak of. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { makeKey, type RealServer, startSshd } from "../../support/real-sshd.js";
import { startAgent } from "../../support/ssh-agent.js";
import { type Habit, habits } from "./cases.js";

export interface HabitLab {
  readonly me: string;
  readonly folder: string;
  readonly leaf: RealServer;
  readonly b1: RealServer;
  readonly b2: RealServer;
  /** A key that no server takes */
  readonly strangerKey: string;
  /** An agent's socket; ten keys are in it, the last one is good */
  readonly agent: string;
  /** For ssh and for mop; `HABITS_BY` differs */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** A pipe to host and port, as `nc` would be; checks the other tokens. */
const PIPE = `const [host, port, name, user, all] = process.argv.slice(2);
if (all !== "100%" || name === "" || user === "") { console.error("bad tokens: " + process.argv); process.exit(1); }
const socket = require("node:net").connect(Number(port), host);
process.stdin.pipe(socket).pipe(process.stdout);
socket.on("error", ({ message }) => { console.error(message); process.exit(1); });
`;

const publicOf = (file: string) =>
  readFileSync(`${file}.pub`, "utf8").split(" ").slice(0, 2).join(" ").trim();

export async function startHabitLab(): Promise<HabitLab> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "mop-habits-"));
  const ca = path.join(folder, "ca");
  makeKey(ca, "ed25519");
  // An empty home: what this machine's own login files do takes its time and says things
  const lines = ["ExposeAuthInfo yes", `TrustedUserCAKeys ${ca}.pub`, `SetEnv HOME=${folder}`];
  const [leaf, b1, b2] = await Promise.all([
    startSshd({ userKeys: ["ed25519", "ecdsa:256"], hostKeys: ["ed25519", "ecdsa:256"], lines }),
    startSshd({ lines }),
    startSshd({ lines }),
  ]);
  const { user: me } = leaf;
  const strangerKey = path.join(folder, "stranger");
  makeKey(strangerKey, "ed25519");
  writeFileSync(path.join(folder, "a pipe.cjs"), PIPE);

  mkdirSync(path.join(folder, "keys of"));
  copyFileSync(leaf.identityFiles[1]!, path.join(folder, `keys of/tokens-${me}-${leaf.port}-127.0.0.1`));
  mkdirSync(path.join(folder, "config.d"));
  writeFileSync(path.join(folder, "config.d/10-first.conf"), "Host included\n  HostName 127.0.0.1\n");
  writeFileSync(path.join(folder, "config.d/20-second.conf"), `Host included\n  Port ${leaf.port}\n`);

  const all = [leaf, b1, b2].map(({ knownHostsFile }) => readFileSync(knownHostsFile, "utf8")).join("");
  const second = b2.hostKeys.map((key) => `second ${key}\n`).join("");
  writeFileSync(path.join(folder, "known"), all + second);
  writeFileSync(path.join(folder, "known to us"), readFileSync(leaf.knownHostsFile, "utf8"));
  execFileSync("ssh-keygen", ["-q", "-H", "-f", path.join(folder, "known to us")], { stdio: "ignore" });
  writeFileSync(path.join(folder, "bare"), leaf.hostKeys.map((key) => `127.0.0.1 ${key}\n`).join(""));
  writeFileSync(path.join(folder, "aliased"), leaf.hostKeys.map((key) => `the-leaf ${key}\n`).join(""));
  writeFileSync(path.join(folder, "revoked"), `# stolen\n${publicOf(strangerKey)} someone\n`);

  const certified = path.join(folder, "certified");
  makeKey(certified, "ed25519");
  execFileSync("ssh-keygen", ["-q", "-s", ca, "-I", "me", "-n", me, "-V", "-1h:+1h", `${certified}.pub`]);
  mkdirSync(path.join(folder, "certificates"));
  copyFileSync(`${certified}-cert.pub`, path.join(folder, "certificates/certified.pub"));
  rmSync(`${certified}-cert.pub`);

  const agent = path.join(folder, "agent");
  const { stop: stopAgent } = await startAgent(agent);
  const add = (file: string) =>
    execFileSync("ssh-add", ["-q", file], { env: { ...process.env, SSH_AUTH_SOCK: agent }, stdio: "ignore" });
  for (let index = 0; index < 9; index++) {
    makeKey(path.join(folder, `agent${index}`), "ed25519");
    add(path.join(folder, `agent${index}`));
  }
  const inAgent = path.join(folder, "in-agent");
  makeKey(inAgent, "ed25519");
  add(inAgent);
  rmSync(inAgent);
  writeFileSync(path.join(leaf.folder, "authorized_keys"), `${publicOf(inAgent)}\n`, { flag: "a" });

  return {
    me,
    folder,
    leaf,
    b1,
    b2,
    strangerKey,
    agent,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: os.userInfo().homedir,
      USER: me,
      LOGNAME: me,
      HABITS: folder,
      HABITS_AGENT: agent,
    },
    async stop() {
      await Promise.all([stopAgent(), leaf.stop(), b1.stop(), b2.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One file with all of them, as a ~/.ssh/config grows. Returns its name. */
export function writeHabits(lab: HabitLab): { readonly file: string; readonly cases: readonly Habit[] } {
  // Linux has the whole of 127.0.0.0/8
  const cases = habits(lab).filter(({ from }) => from === undefined || process.platform === "linux");
  const keys = [lab.leaf, lab.b1, lab.b2].map(({ identityFiles }) => `  IdentityFile ${identityFiles[0]}\n`);
  const rest = `Host *\n  UserKnownHostsFile ${lab.folder}/known\n  GlobalKnownHostsFile /dev/null\n${keys.join("")}`;
  const file = path.join(lab.folder, "config");
  writeFileSync(file, `${cases.map(({ config }) => config).join("\n\n")}\n\n${rest}`);
  return { file, cases };
}
