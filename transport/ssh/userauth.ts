/** A login's methods one after another (RFC 4252, RFC 4256); what is sent and received goes through a port. */
import { MopError } from "../errors.js";
import type { Credentials } from "./credentials.js";
import { unheededText } from "./host-key.js";
import type { Credential } from "./keys.js";
import { plain } from "./plain.js";
import { LOGIN_METHODS, type LoginMethod, type Prompter, type Target } from "./types.js";

export interface Question {
  readonly prompt: string;
  readonly echo?: boolean;
}

export type AuthReply =
  | { readonly type: "success" }
  | { readonly type: "failure"; readonly methods: readonly string[]; readonly partial: boolean }
  /** The key would do; asked without signature */
  | { readonly type: "acceptable" }
  | { readonly type: "questions"; readonly instructions: string; readonly questions: readonly Question[] }
  | { readonly type: "expired" };

/** One request and its answer each. Rejects when the session ends. */
export interface AuthPort {
  none(): Promise<AuthReply>;
  query(credential: Credential): Promise<AuthReply>;
  /** Undefined: the operator gave no passphrase, nothing was sent. */
  signed(credential: Credential): Promise<AuthReply | undefined>;
  password(password: string): Promise<AuthReply>;
  keyboard(): Promise<AuthReply>;
  answer(answers: readonly string[]): Promise<AuthReply>;
}

/** What a login was made with. */
export interface Proof {
  readonly method: "none" | LoginMethod;
  /** The key, with publickey */
  readonly credential?: Credential;
}

const PASSWORD_TRIES = 3;
/** More than a server may want of anybody one after another */
const PROOFS_MAX = 5;

/** Tries everything in order. Resolves with what did it; rejects with AUTH_REFUSED. */
export async function authenticate(
  port: AuthPort,
  target: Target,
  credentials: Credentials,
  prompter: Prompter | undefined,
): Promise<Proof> {
  const attempt = new Attempt(port, target, credentials, prompter);
  return attempt.run();
}

class Attempt {
  readonly #port: AuthPort;
  readonly #target: Target;
  readonly #credentials: Credentials;
  readonly #prompter: Prompter | undefined;
  /** What the server would still take; undefined before it said so */
  #methods: readonly string[] | undefined;
  /** The server took a proof and wants another one besides */
  #partial = false;
  readonly #used = new Set<Credential>();
  readonly #tried: string[] = [];
  /** Keys that would have done */
  readonly #problems: MopError[] = [];

  constructor(port: AuthPort, target: Target, credentials: Credentials, prompter: Prompter | undefined) {
    this.#port = port;
    this.#target = target;
    this.#credentials = credentials;
    this.#prompter = prompter;
  }

  async run(): Promise<Proof> {
    for (let proofs = 0; proofs === 0 || (this.#partial && proofs < PROOFS_MAX); proofs++) {
      this.#partial = false;
      for (const method of this.#order()) {
        // Nothing that is secret is sent before the server said that it takes it
        if (method !== "publickey" && (await this.#isOpen())) return { method: "none" };
        const proof = await this.#try(method);
        if (proof) return proof;
        if (this.#partial) break;
      }
    }
    if (await this.#isOpen()) return { method: "none" };
    throw this.#refused();
  }

  /** Asks what the server takes, where it hasn't said so yet; it may need no proof at all. */
  async #isOpen(): Promise<boolean> {
    return this.#methods === undefined && this.#over(await this.#port.none());
  }

  /** Keys come first where nothing else is said; a password that is known is given before any question is asked. */
  #order(): readonly LoginMethod[] {
    const { methods, password } = this.#target;
    if (methods) return methods;
    return password === undefined ? LOGIN_METHODS : ["publickey", "password", "keyboard-interactive"];
  }

  async #try(method: LoginMethod): Promise<Proof | undefined> {
    switch (method) {
      case "publickey":
        return this.#tryKeys();
      case "password":
        return (await this.#tryPassword()) ? { method } : undefined;
      case "keyboard-interactive":
        return (await this.#tryKeyboard()) ? { method } : undefined;
    }
  }

  async #tryKeys(): Promise<Proof | undefined> {
    for (const credential of this.#credentials.keys) {
      if (!this.#offers("publickey")) break;
      if (this.#used.has(credential)) continue;
      if (await this.#tryKey(credential)) return { method: "publickey", credential };
      // A server that wants another proof first hasn't looked at the key
      if (this.#partial || this.#offers("publickey")) this.#used.add(credential);
      if (this.#partial) break;
    }
    return undefined;
  }

  get #tries(): number {
    return this.#target.passwordTries ?? PASSWORD_TRIES;
  }

  #offers(method: string): boolean {
    return this.#methods === undefined || this.#methods.includes(method);
  }

  /** Whether the login is through; else notes what the server would still take. */
  #over(reply: AuthReply): boolean {
    if (reply.type === "failure") {
      this.#methods = reply.methods;
      this.#partial ||= reply.partial;
    }
    return reply.type === "success";
  }

  async #tryKey(credential: Credential): Promise<boolean> {
    const reply = await this.#port.query(credential);
    if (reply.type !== "acceptable") {
      this.#note(credential.label);
      return this.#over(reply);
    }
    try {
      const answer = await this.#port.signed(credential);
      if (answer) {
        this.#note(credential.label);
        return this.#over(answer);
      }
      this.#problems.push(
        new MopError(
          "AUTH_REFUSED",
          `the key ${credential.label} would do, but its passphrase was not given`,
        ),
      );
    } catch (error) {
      // It was not sent: the next one may do
      if (!(error instanceof MopError) || error.code !== "KEY_UNREADABLE") throw error;
      this.#problems.push(error);
    }
    this.#used.add(credential);
    return false;
  }

  async #tryPassword(): Promise<boolean> {
    for (let tries = 0; tries < this.#tries && this.#offers("password"); tries++) {
      const password = await this.#secret("password:", tries);
      if (password === undefined) return false;
      this.#note("password");
      const reply = await this.#port.password(password);
      if (reply.type === "expired")
        throw new MopError("AUTH_REFUSED", `${this.#who()}: the password has expired; change it on the host`);
      if (this.#over(reply)) return true;
      if (this.#partial) return false;
    }
    return false;
  }

  async #tryKeyboard(): Promise<boolean> {
    for (let tries = 0; tries < this.#tries && this.#offers("keyboard-interactive"); tries++) {
      if (!this.#prompter && (this.#target.password === undefined || tries > 0)) return false;
      let reply = await this.#port.keyboard();
      while (reply.type === "questions") {
        const answers: string[] = [];
        for (const { prompt } of reply.questions) {
          const secret = await this.#secret(prompt, tries, reply.questions.length);
          if (secret === undefined) return false;
          answers.push(secret);
        }
        this.#note("keyboard-interactive");
        reply = await this.#port.answer(answers);
      }
      if (this.#over(reply)) return true;
      if (this.#partial) return false;
    }
    return false;
  }

  /** The password that is known already for the first single question; else what the operator says. */
  async #secret(prompt: string, tries: number, questions = 1): Promise<string | undefined> {
    const { password } = this.#target;
    if (tries === 0 && questions === 1 && password !== undefined)
      return typeof password === "string" ? password : password();
    return this.#prompter?.password(this.#target, prompt, tries > (password === undefined ? 0 : 1));
  }

  /** A method that was tried, for the refusal; never what was answered */
  #note(method: string): void {
    if (!this.#tried.includes(method)) this.#tried.push(method);
  }

  #who(): string {
    return `${this.#target.name} refused the login of ${this.#target.user}`;
  }

  #refused(): MopError {
    const problems = [...this.#credentials.problems, ...this.#problems];
    const reasons = problems.map((problem) => problem.message);
    const { methods, batch } = this.#target;
    const left = this.#methods?.filter((one) => LOGIN_METHODS.some((method) => method === one)) ?? [];
    if (methods && left.length > 0 && !left.some((one) => methods.some((method) => method === one)))
      reasons.push(`ssh's configuration allows ${methods.join(", ") || "none of mop's methods"} only`);
    if (batch) reasons.push("BatchMode lets nobody be asked");
    const unreadable = problems.filter(({ code }) => code === "KEY_UNREADABLE");
    if (this.#tried.length === 0 && unreadable.length > 0 && unreadable.length === problems.length)
      return new MopError("KEY_UNREADABLE", reasons.join("; "));
    const tried = this.#tried.length > 0 ? `tried ${this.#tried.join(", ")}` : "there was no key to try";
    const offered = `the server takes ${plain(this.#methods?.join(", ") ?? "") || "no further method"}`;
    const ways = this.#waysOut();
    const unheeded = unheededText(this.#target.unheeded?.login);
    const text = `${this.#who()} (${[tried, offered, ...reasons].join("; ")})${unheeded}`;
    return new MopError("AUTH_REFUSED", ways.length > 0 ? `${text}; ${ways.join(", or ")}` : text);
  }

  #waysOut(): string[] {
    const ways: string[] = [];
    if (this.#offers("publickey"))
      ways.push("authorize a key of yours there, or give another with --identity");
    const asked = this.#target.password !== undefined || this.#prompter !== undefined;
    if (!asked && this.#offers("password")) ways.push("log in by password with --ask-pass");
    return ways;
  }
}
