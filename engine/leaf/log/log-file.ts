import { constants, promises as fs, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { causeOf, Refusal } from "../errors.js";

/** Bytes from which on a log is put aside for a new one */
const MAX_SIZE = 1024 * 1024;
/** How many are kept beside the one that is written: mop.log.1 is the youngest */
const OLD_ONES = 3;
/** How long the end of a run waits for a file system that does not answer, in ms; and how often in that time it looks */
const PATIENCE = 2000;
const LOOKS = 20;

const FLAGS =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Appends lines to a file of this user's, one write each, behind the run's back: nothing waits for it but the end, and
 * what goes wrong is told once and ends the writing. Other runs may write to the same file.
 */
export class LogFile {
  readonly #path: string;
  readonly #tell: (why: string) => void;
  #last: Promise<void> = Promise.resolve();
  #broken = false;

  constructor(given: string, tell: (why: string) => void) {
    this.#path = given;
    this.#tell = tell;
  }

  append(line: string): void {
    this.#last = this.#last.then(async () => {
      if (this.#broken) return;
      try {
        await appendLine(absolutePath(this.#path), `${line}\n`);
      } catch (error) {
        this.#broken = true;
        this.#tell(`the log ${this.#path} can't be written: ${causeOf(error)}`);
      }
    });
  }

  /** Resolves when all lines are written, or when that takes too long. */
  async close(): Promise<void> {
    let over = false;
    const end = this.#last.then(() => {
      over = true;
    });
    // In steps, of which a process that stands still misses one: the file system is not at fault for that
    for (let look = 0; look < LOOKS && !over; look++) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, PATIENCE / LOOKS);
      });
      await Promise.race([end, late]);
      clearTimeout(timer);
    }
  }
}

async function appendLine(file: string, line: string): Promise<void> {
  let log = await openLog(file);
  try {
    const { size, ino } = await log.stat();
    if (size > 0 && size + Buffer.byteLength(line) > MAX_SIZE) {
      await rotate(file, ino);
      await log.close();
      log = await openLog(file);
    }
    await log.appendFile(line);
  } finally {
    await log.close();
  }
}

async function openLog(file: string): Promise<fs.FileHandle> {
  const open = () => fs.open(file, FLAGS, 0o600);
  const log = await open().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code === "ELOOP") throw new Refusal("it is a symbolic link");
    if (error.code !== "ENOENT") throw error;
    await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    return open();
  });
  const info = await log.stat();
  if (info.isFile() && (info.mode & 0o077) === 0) return log;
  try {
    if (!info.isFile()) throw new Refusal("it is no ordinary file");
    // It may be older than this rule, or the umask of somebody who made it
    await log.chmod(0o600);
    return log;
  } catch (error) {
    await log.close();
    throw error;
  }
}

/** mop.log.2 becomes mop.log.3, ... mop.log becomes mop.log.1, unless another run was faster. */
async function rotate(file: string, inode: number): Promise<void> {
  const now = await fs.stat(file).catch(() => undefined);
  if (now?.ino !== inode) return;
  for (let age = OLD_ONES - 1; age >= 0; age--)
    await fs.rename(age === 0 ? file : `${file}.${age}`, `${file}.${age + 1}`).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    });
}

function absolutePath(given: string): string {
  if (given === "~" || given.startsWith("~/")) return path.join(homeFolder(), given.slice(1));
  if (!path.isAbsolute(given)) throw new Refusal("its path must begin with / or ~/");
  return given;
}

/** HOME where it is this user's (sudo may leave another's), else what the accounts say. */
function homeFolder(): string {
  const { HOME } = process.env;
  try {
    if (HOME !== undefined && path.isAbsolute(HOME) && statSync(HOME).uid === process.getuid?.()) return HOME;
    return os.userInfo().homedir;
  } catch {
    throw new Refusal("this user has no home folder");
  }
}
