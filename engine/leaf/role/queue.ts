/** A promise that knows whether anybody waits for it. */
class Watched<T> extends Promise<T> {
  // With the same constructor as Promise, `await` would not call `then`.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  awaited = false;

  // biome-ignore lint/suspicious/noThenProperty: to see whether somebody waits is what this class is for
  override then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.awaited = true;
    return super.then(fulfilled, rejected);
  }
}

/** Runs tasks strictly one at a time in the order in which they were added, whether their callers wait or not. */
export class Queue {
  #tail: Promise<void> = Promise.resolve();
  #added = 0;
  #closed: Error | undefined;
  readonly #failed: { readonly promise: Watched<unknown>; readonly error: unknown }[] = [];

  /** Resolves or rejects with the task's outcome. Rejects without running it once the queue was closed. */
  add<T>(task: () => Promise<T>): Promise<T> {
    this.#added++;
    const before = this.#tail;
    let leave = (): void => undefined;
    this.#tail = new Promise((resolve) => {
      leave = resolve;
    });
    const run = async (): Promise<T> => {
      await before;
      if (this.#closed) throw this.#closed;
      return task();
    };
    const promise: Watched<T> = new Watched<T>((resolve, reject) => {
      run().then(
        (value) => {
          resolve(value);
          leave();
        },
        (error: unknown) => {
          this.#failed.push({ promise, error });
          reject(error);
          // What waits for this failure may end the role, and comes before the next task.
          setImmediate(leave);
        },
      );
    });
    // A failure that nobody waits for is told by `drain`, not by Node.
    Promise.prototype.then.call(promise, undefined, () => undefined);
    return promise;
  }

  /** Waits until nothing is left, then throws the first failure that nobody waited for. */
  async drain(): Promise<void> {
    for (let seen = -1; seen !== this.#added; ) {
      seen = this.#added;
      await this.#tail;
      // The callers of what just ended may add more.
      await new Promise(setImmediate);
    }
    for (const { promise, error } of this.#failed) if (!promise.awaited) throw error;
  }

  /** From now on nothing starts; resolves when what runs has ended. */
  async close(reason: Error): Promise<void> {
    this.#closed ??= reason;
    await this.#tail;
  }
}
