/** Characters of one output stream that a result keeps: half from the beginning, half from the end. */
export const MAX_COLLECTED = 1024 * 1024;

/** Collects text without end in bounded memory. */
export class Collector {
  readonly #half: number;
  #head = "";
  #tail: string[] = [];
  #tailLength = 0;
  #dropped = 0;

  constructor(max = MAX_COLLECTED) {
    this.#half = Math.ceil(max / 2);
  }

  add(text: string): void {
    const room = this.#half - this.#head.length;
    if (room > 0) this.#head += text.slice(0, room);
    if (text.length <= room) return;
    const rest = room > 0 ? text.slice(room) : text;
    this.#tail.push(rest);
    this.#tailLength += rest.length;
    while (this.#tail.length > 1 && this.#tailLength - this.#tail[0]!.length >= this.#half) {
      const first = this.#tail.shift()!;
      this.#tailLength -= first.length;
      this.#dropped += first.length;
    }
  }

  get text(): string {
    const tail = this.#tail.join("");
    const over = Math.max(0, tail.length - this.#half);
    const dropped = this.#dropped + over;
    if (dropped === 0) return this.#head + tail;
    return `${this.#head}\n[${dropped} characters left out]\n${tail.slice(over)}`;
  }
}
