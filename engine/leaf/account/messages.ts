import type { Value } from "../../../transport/types.js";
import { decodeValue, encodeValue } from "../../../transport/wire/value.js";

/**
 * What the process of a role and one that works as another user say to each other, over the latter's stdio: a length
 * (u32) and a Value each. Both are ours, from the same source; the length is bounded all the same.
 */
export type ToAccount =
  | { readonly type: "order"; readonly order: Value }
  /** Plan a resource; `key` is the type's name in the role's context */
  | {
      readonly type: "plan";
      readonly id: number;
      readonly key: string;
      readonly name: string;
      readonly options: Value;
    }
  | { readonly type: "apply" | "foresee" | "cancel"; readonly id: number }
  | BlobAnswer;

export interface BlobAnswer {
  readonly type: "blob";
  readonly id: number;
  readonly body: Uint8Array | null;
  /** Why there is none */
  readonly error: string | null;
}

export type FromAccount =
  | { readonly type: "planned"; readonly id: number; readonly plan: PlanView }
  | { readonly type: "applied"; readonly id: number; readonly applied: Applied }
  | { readonly type: "refused"; readonly id: number; readonly message: string }
  | { readonly type: "output"; readonly stream: "stdout" | "stderr"; readonly text: string }
  /** What a type's code marked as secret there */
  | { readonly type: "secret"; readonly text: string }
  | { readonly type: "blob"; readonly id: number; readonly hash: string }
  | { readonly type: "prefetch"; readonly hashes: readonly string[] };

/** A plan without its functions. */
export interface PlanView {
  readonly actions: readonly string[];
  readonly diff: string | null;
  readonly readOnly: boolean;
  readonly foresees: boolean;
  readonly extra: { readonly [name: string]: Value };
}

export interface Applied {
  readonly actions: readonly string[];
  readonly extra: { readonly [name: string]: Value };
  readonly failure: string | null;
}

/** Most bytes of a message: a file's content in options, a blob. */
export const MAX_MESSAGE = 64 << 20;

export function frameMessage(message: ToAccount | FromAccount): Buffer {
  const body = encodeValue(message as unknown as Value);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

/** Takes the stream apart, however it is cut. Throws an Error at what is no message. */
export function messageReader<M extends ToAccount | FromAccount>(): (chunk: Uint8Array) => M[] {
  let pieces: Uint8Array[] = [];
  let length = 0;
  let wanted = 4;
  return (chunk) => {
    pieces.push(chunk);
    length += chunk.length;
    const messages: M[] = [];
    while (length >= wanted) {
      const all = Buffer.concat(pieces);
      pieces = [all];
      // Joined again once the message is whole, not at each chunk
      wanted = all.readUInt32BE(0) + 4;
      if (wanted > MAX_MESSAGE) throw new Error(`a message of ${wanted} bytes is too long`);
      if (length < wanted) break;
      messages.push(decodeValue(all.subarray(4, wanted)) as unknown as M);
      pieces = [all.subarray(wanted)];
      length -= wanted;
      wanted = 4;
    }
    return messages;
  };
}
