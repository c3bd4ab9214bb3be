/** What a relay may do to the bytes of a pipe that leads to a host's sshd. */
import { existsSync } from "node:fs";
import net from "node:net";
import type { Attack, Double, Part, Piece } from "../attack.js";

type Filter = NonNullable<Attack["fromServer"]>;
type Change = (bytes: Buffer) => readonly Uint8Array[];

const flip =
  (at: number): Change =>
  (bytes) => {
    const copy = Buffer.from(bytes);
    copy[at < 0 ? copy.length + at : Math.min(at, copy.length - 1)]! ^= 1;
    return [copy];
  };

/** Changes the first piece of this part, once a connection. */
const atFirst = (of: Part, change: Change): Filter =>
  once(({ part, index }) => part === of && index === 0, change);

function once(wanted: (piece: Piece) => boolean, change: Change): Filter {
  return (double, piece) => {
    if (!wanted(piece)) return undefined;
    double.did(`changed the ${piece.part}`);
    return change(piece.bytes);
  };
}

/** RFC 4253, 11.2, before there are keys: what Terrapin (CVE-2023-48795) puts into a key exchange */
const IGNORE = Buffer.from([0, 0, 0, 12, 6, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** Holds back everything of one direction from this part on. */
const withhold = (from: Part): Filter => {
  const order: readonly Part[] = ["identification", "kexinit", "share", "newkeys", "sealed"];
  return (double, { part }) => {
    if (order.indexOf(part) < order.indexOf(from)) return undefined;
    double.did(`withheld the ${part}`);
    return [];
  };
};

/** Before there are sessions: the same for every kind of relay. */
export const LOGINS = {
  "flips the server's identification": { fromServer: atFirst("identification", flip(9)) },
  "flips the server's list of algorithms": { fromServer: atFirst("kexinit", flip(60)) },
  "flips the host key": { fromServer: atFirst("share", flip(40)) },
  "flips the server's key share": { fromServer: atFirst("share", flip(80)) },
  "flips the signature over the key exchange": { fromServer: atFirst("share", flip(-30)) },
  "flips the client's list of algorithms": { fromClient: atFirst("kexinit", flip(60)) },
  "flips the client's key share": { fromClient: atFirst("share", flip(20)) },
  "flips the login": { fromClient: atFirst("sealed", flip(40)) },
  "flips the login's answer": { fromServer: atFirst("sealed", flip(20)) },
  "says the key exchange twice": { fromServer: atFirst("share", (bytes) => [bytes, bytes]) },
  "takes the algorithms for weak ones": {
    fromServer: atFirst("kexinit", (bytes) => [
      Buffer.from(
        bytes.toString("latin1").replace("aes128-gcm@openssh.com", "3des-cbc-not-a-cipher.x"),
        "latin1",
      ),
    ]),
  },
  "slips a message in before the keys": { fromServer: atFirst("newkeys", (bytes) => [IGNORE, bytes]) },
  "slips a message in and takes the first sealed one out": {
    fromServer: (double, { part, bytes, index }) => {
      if (index > 0) return undefined;
      if (part === "newkeys") {
        double.did("slipped a message in");
        return [IGNORE, bytes];
      }
      // The client may have left by then
      if (part !== "sealed") return undefined;
      return [];
    },
  },
  "ends the connection in the key exchange": {
    fromServer: (double, { part }, tap) => {
      if (part === "identification" || part === "kexinit") return undefined;
      double.did("cut");
      tap.cut();
      return [];
    },
  },
  "withholds the identification": { fromServer: withhold("identification") },
  "withholds the key exchange": { fromServer: withhold("share") },
  "withholds the login's answer": { fromServer: withhold("sealed") },
  "withholds what the client says": { fromClient: withhold("kexinit") },
  "says lines without end before the identification": {
    fromServer: (double, { part }, tap) => {
      if (part !== "identification") return [];
      double.did("a flood of lines");
      const line = Buffer.alloc(1000, "x\n".repeat(500));
      const timer = setInterval(() => tap.toClient(line), 1);
      setTimeout(() => clearInterval(timer), 5000).unref();
      return [];
    },
  },
  "claims a packet of 4 GB": {
    fromServer: atFirst("kexinit", () => [
      Buffer.from([0xff, 0xff, 0xff, 0xff, 4, 20]),
      Buffer.alloc(100_000),
    ]),
  },
  "tries the recorded login on another connection": (() => {
    const said: Uint8Array[] = [];
    let tried = false;
    return {
      fromClient: (double, { part, index, bytes }) => {
        said.push(bytes);
        if (tried || part !== "sealed" || index > 0) return undefined;
        tried = true;
        const { host, port } = double.ordered!;
        const again = net.connect({ host, port }, () => again.write(Buffer.concat(said)));
        again.on("error", () => {}).resume();
        double.did("said the login to the host once more");
        return undefined;
      },
    } satisfies Attack;
  })(),
  "connects to another host's sshd": {
    dial: (double) => {
      double.did("dialled the vault");
      return double.knows.vault;
    },
  },
  "connects to the honest site's host": {
    dial: (double) => {
      double.did("dialled the neighbour");
      return double.knows.neighbour;
    },
  },
  "connects back to its own sshd": {
    dial: (double) => {
      double.did("dialled itself");
      return double.knows.self;
    },
  },
} satisfies Record<string, Attack>;

/** Of a node that is up and at work: the role has begun. */
const isData = ({ knows }: Double, { part }: Piece) => part === "sealed" && existsSync(knows.started);

/** Changes the first piece of data, once. */
function atData(change: Change): Filter {
  let changed = false;
  return (double, piece) => {
    if (changed || !isData(double, piece)) return undefined;
    changed = true;
    double.did("changed the data");
    return change(piece.bytes);
  };
}

/** The first piece of data goes behind the second. */
function swap(): Filter {
  let held: Buffer | undefined;
  let over = false;
  return (double, piece) => {
    if (over || !isData(double, piece)) return undefined;
    if (!held) {
      held = piece.bytes;
      return [];
    }
    over = true;
    double.did("swapped the data");
    return [piece.bytes, held];
  };
}

const swallow: Filter = (double, piece) => {
  if (!isData(double, piece)) return undefined;
  double.did("withheld the data");
  return [];
};

const inject: Change = (bytes) => [bytes, Buffer.alloc(64, 7)];
const twice: Change = (bytes) => [bytes, bytes];

/** In sessions that stay end to end. */
export const SESSIONS = {
  "flips what the host says": { fromServer: atData(flip(20)) },
  "flips the length of what the host says": { fromServer: atData(flip(2)) },
  "flips what the host is told": { fromClient: atData(flip(20)) },
  "says twice what the host says": { fromServer: atData(twice) },
  "says twice what the host is told": { fromClient: atData(twice) },
  "leaves out what the host says": { fromServer: atData(() => []) },
  "leaves out what the host is told": { fromClient: atData(() => []) },
  "adds to what the host says": { fromServer: atData(inject) },
  "adds to what the host is told": { fromClient: atData(inject) },
  "swaps what the host says": { fromServer: swap() },
  "swaps what the host is told": { fromClient: swap() },
  "withholds what the host says": { fromServer: swallow },
  "withholds what the host is told": { fromClient: swallow },
  "says the login twice": { fromClient: atFirst("sealed", twice) },
  "withholds the login": { fromClient: withhold("sealed") },
  "withholds what comes behind the login": {
    fromClient: (double, { part, index }) => {
      if (part !== "sealed" || index === 0) return undefined;
      double.did("withheld the command");
      return [];
    },
  },
  "ends the connection in the data": {
    fromServer: (double, piece, tap) => {
      if (!isData(double, piece)) return undefined;
      double.did("cut");
      tap.cut();
      return [];
    },
  },
} satisfies Record<string, Attack>;
