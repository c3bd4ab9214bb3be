import type { MopError } from "../../../transport/errors.js";
import type { LoginPace } from "../../../transport/ssh/types.js";
import type { NodeInfo } from "../../../transport/types.js";
import type { Place, Starts } from "../place.js";
import type { Attempts, StartPort } from "../start.js";
import type { From } from "../ways.js";

/** A host that is being reached, and what is at hand for it. */
export interface Reaching {
  readonly port: StartPort;
  readonly place: Place;
  /** From where it is dialled */
  readonly from: From;
  readonly attempts: Attempts;
  /** Makes the attempt until it works or can't: again where the server dropped us, plainly where a guess was wrong */
  tries<T>(attempt: (pace: LoginPace) => Promise<T>): Promise<T>;
}

/** What a kind of hop means: how its host is reached, and how what lies behind it is. */
export interface HopWay {
  /** What is started there. Hosts of a route that differ in nothing else share a node where this is the same */
  readonly starts: Starts;
  /** The sessions of the hosts behind it may be given to what is started there */
  readonly handsOff: boolean;
  /** Reaches the host; resolves with what its node said, or undefined when its session forwards and nothing runs there. */
  reach(reaching: Reaching): Promise<NodeInfo | undefined>;
  /** What else is to be said of why it could not be reached */
  explain?(place: Place, error: MopError): MopError;
  /** From where hosts behind it are dialled, once orders may be sent there */
  wayOut(place: Place): From;
}
