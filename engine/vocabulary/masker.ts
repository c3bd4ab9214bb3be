import { encodedForms } from "./secret-forms.js";

/** What stands in the place of a secret. */
export const MASK = "********";

interface Node {
  /** The first way on, and where it leads; most nodes have one, and a map for each would cost more than all else */
  unit: string;
  child: Node | undefined;
  others: Map<string, Node> | undefined;
  /** Where the longest other beginning goes on that the text so far ends with */
  fail: Node;
  /** Characters from the root */
  readonly depth: number;
  /** Length of the longest form that ends here; 0: none does */
  ends: number;
  /** Length of the shortest form that begins so */
  shortest: number;
}

/**
 * Puts MASK in the place of secrets, in every form in which they may be met (secret-forms.ts), by Aho and
 * Corasick's automaton, so that a text is gone through once whatever the number of secrets, and what a stream must hold
 * back (the longest end of it that may be a secret's beginning) is known at every character.
 */
export class Masker {
  readonly #forms = new Set<string>();
  #root: Node | undefined;
  /** Counts the changes of what is masked: streams look whether their place in the automaton still is one */
  #version = 0;

  constructor(secrets: Iterable<string> = []) {
    this.add(secrets);
  }

  get empty(): boolean {
    return this.#forms.size === 0;
  }

  add(secrets: Iterable<string>): void {
    const before = this.#forms.size;
    for (const secret of secrets) for (const form of encodedForms(secret)) this.#forms.add(form);
    if (this.#forms.size === before) return;
    this.#root = undefined;
    this.#version++;
  }

  /** A whole text. What stands in a row of overlapping or neighbouring secrets becomes one MASK. */
  mask(text: string): string {
    if (this.empty || text === "") return text;
    const stream = this.stream();
    return stream.push(text) + stream.end(true);
  }

  /** A text that comes in pieces, cut wherever it may be. */
  stream(): MaskStream {
    return new MaskStream(this);
  }

  /** The automaton's root, for the streams. */
  get root(): Node {
    this.#root ??= automaton(this.#forms);
    return this.#root;
  }

  get version(): number {
    return this.#version;
  }
}

/** What `end` masks though the text broke off in it: at least so many characters, and half of the secret. */
const TELLING = 3;

export class MaskStream {
  readonly #masker: Masker;
  #version = -1;
  #node: Node | undefined;
  /** What may still turn out to be a secret, or a part of one */
  #held = "";
  /** Of each character of #held, whether it is a secret's */
  #secret: boolean[] = [];
  /** The last character that went out was a secret's: its MASK was written */
  #masking = false;

  constructor(masker: Masker) {
    this.#masker = masker;
  }

  /** What can be told by now. */
  push(text: string): string {
    if (this.#masker.empty) return text;
    if (this.#version !== this.#masker.version) this.#settle();
    let out = "";
    for (const unit of units(text)) {
      this.#take(unit);
      out += this.#release(this.#node!.depth);
    }
    return out;
  }

  /**
   * The rest: nothing more comes. Unless the text is `whole`, an end that has the better part of a secret is masked,
   * since it was probably cut off in the middle of it (a command that was killed, a link that went).
   */
  end(whole = false): string {
    if (!whole) {
      let node = this.#node;
      while (node && node.depth > 0 && !isTelling(node)) node = node.fail;
      if (node) this.#secret.fill(true, this.#secret.length - node.depth);
    }
    const out = this.#release(0);
    this.#node = undefined;
    this.#version = -1;
    this.#masking = false;
    return out;
  }

  #take(unit: string): void {
    const node = step(this.#node!, unit);
    this.#node = node;
    this.#held += unit;
    this.#secret.push(false);
    if (node.ends > 0) this.#secret.fill(true, this.#secret.length - node.ends);
  }

  /** Gives out all but the last `keep` characters. */
  #release(keep: number): string {
    const count = this.#held.length - keep;
    if (count <= 0) return "";
    let out = "";
    for (let at = 0; at < count; at++) {
      if (!this.#secret[at]) out += this.#held[at];
      else if (!this.#masking) out += MASK;
      this.#masking = this.#secret[at]!;
    }
    this.#held = this.#held.slice(count);
    this.#secret = this.#secret.slice(count);
    return out;
  }

  /** Secrets came in meanwhile (or it is the beginning): what is held is read again. */
  #settle(): void {
    const held = this.#held;
    const known = this.#secret;
    this.#version = this.#masker.version;
    this.#node = this.#masker.root;
    this.#held = "";
    this.#secret = [];
    for (const unit of units(held)) this.#take(unit);
    known.forEach((secret, at) => {
      this.#secret[at] ||= secret;
    });
  }
}

const isTelling = ({ depth, shortest }: Node): boolean => depth >= TELLING && 2 * depth >= shortest;

/** By UTF-16 units: a cut may go through a pair of them. */
function* units(text: string): Generator<string> {
  for (let at = 0; at < text.length; at++) yield text[at]!;
}

function step(from: Node, unit: string): Node {
  for (let node = from; ; node = node.fail) {
    const next = childOf(node, unit);
    if (next) return next;
    if (node.depth === 0) return node;
  }
}

const childOf = (node: Node, unit: string): Node | undefined =>
  node.unit === unit ? node.child : node.others?.get(unit);

function* childrenOf(node: Node): Generator<readonly [string, Node]> {
  if (node.child) yield [node.unit, node.child];
  if (node.others) yield* node.others;
}

function addChild(node: Node, unit: string): Node {
  const child = newNode(node.depth + 1);
  if (!node.child) {
    node.unit = unit;
    node.child = child;
  } else {
    node.others ??= new Map();
    node.others.set(unit, child);
  }
  return child;
}

function automaton(forms: Iterable<string>): Node {
  const root = newNode(0);
  for (const form of forms) {
    let node = root;
    for (const unit of units(form)) {
      node = childOf(node, unit) ?? addChild(node, unit);
      node.shortest = Math.min(node.shortest, form.length);
    }
    node.ends = form.length;
  }
  const row = [root];
  for (const node of row)
    for (const [unit, child] of childrenOf(node)) {
      child.fail = node === root ? root : step(node.fail, unit);
      child.ends = Math.max(child.ends, child.fail.ends);
      row.push(child);
    }
  return root;
}

function newNode(depth: number): Node {
  const node: Omit<Node, "fail"> & { fail?: Node } = {
    unit: "",
    child: undefined,
    others: undefined,
    depth,
    ends: 0,
    shortest: Number.POSITIVE_INFINITY,
  };
  // Until the automaton is complete, and at its root
  node.fail = node as Node;
  return node as Node;
}
