/** A file on a host, what the controller has of it, and what `fetch` does. "NAME" is a path of the state's own. */
export interface FetchState {
  readonly claim: string;
  /** Shell lines that make it on the host, in a folder where "NAME" is to stand */
  readonly host: string;
  /** What the controller has, where it has something */
  readonly held?: string;
  /** Options as they stand in the policy */
  readonly options?: string;
  readonly fetched: boolean;
  readonly error?: string;
}

const state = (
  claim: string,
  host: string,
  fetched: boolean,
  rest: Partial<FetchState> = {},
): FetchState => ({
  claim,
  host,
  fetched,
  ...rest,
});

export const FETCHES: readonly FetchState[] = [
  state("the controller has nothing", "echo a >NAME", true),
  state("the controller has the same", "echo a >NAME", false, { held: "a\n" }),
  state("the controller has another content", "echo a >NAME", true, { held: "b\n" }),
  state("of the same length", "printf ab >NAME", true, { held: "ba" }),
  state("the controller has more", "printf a >NAME", true, { held: "ab" }),
  state("the controller has less", "printf ab >NAME", true, { held: "a" }),
  state("an empty file", ": >NAME", true),
  state("an empty file that the controller has", ": >NAME", false, { held: "" }),
  state("an empty file where the controller has some content", ": >NAME", true, { held: "a" }),
  state("bytes that are no text", "printf '\\0\\377\\n' >NAME", true),
  state("a file of several pieces", "head -c 700000 /dev/zero | tr '\\0' x >NAME", true),
  state("a file behind a link", "echo a >t-NAME; ln -s t-NAME NAME", true),
  state("a file that only its owner reads", "echo a >NAME; chmod 600 NAME", true),
  state("into another folder", "echo a >NAME", true, { options: 'to: "other"' }),
  state("another folder has the same", "echo a >NAME", true, { held: "a\n", options: 'to: "other"' }),
  state("of the most that is allowed", "printf abc >NAME", true, { options: "maxSize: 3" }),
  state("as a change that does not count", "echo a >NAME", false, { options: "changedWhen: false" }),
  state("more than is allowed", "printf abcd >NAME", false, {
    options: "maxSize: 3",
    error: '"maxSize" allows 3',
  }),
  state("a file that is not there", "true", false, { error: "it does not exist on the host" }),
  state("a folder", "mkdir NAME", false, { error: "a folder stands there" }),
  state("a link that leads nowhere", "ln -s gone NAME", false, { error: "it does not exist on the host" }),
  state("something that is no file", "mkfifo NAME", false, { error: "it is no ordinary file" }),
];
