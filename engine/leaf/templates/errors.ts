/** What is wrong with a template, and where. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
  readonly line: number;
  /** The template's name; set where it is known, on the way out */
  file: string | undefined;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }

  /** One sentence for the operator. */
  get sentence(): string {
    return `${this.message} (${this.file ?? "template"}, line ${this.line})`;
  }
}

/** Thrown by filters and operators, which don't know where they stand. */
export class ValueError extends Error {
  override readonly name = "ValueError";
}

/** Runs `work`; whatever it throws says in which template it was. */
export function inTemplate<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof TemplateError) error.file ??= file;
    throw error;
  }
}
