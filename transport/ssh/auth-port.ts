import { MopError } from "../errors.js";
import type { Connection } from "./connection.js";
import type { Credential } from "./keys.js";
import { signatureAlgorithm } from "./public-blob.js";
import type { AuthPort, AuthReply } from "./userauth.js";

/** Logins over an ssh2 client: takes the place of its own login machinery. */
export class Ssh2AuthPort implements AuthPort {
  /** Resolves when the server is ready for login requests. */
  readonly accepted: Promise<void>;
  readonly #connection: Connection;
  #waiting: ((reply: AuthReply) => void) | undefined;
  #secretSent = false;

  constructor(connection: Connection) {
    this.#connection = connection;
    const { handlers } = connection.core;
    this.accepted = new Promise((resolve, reject) => {
      handlers.SERVICE_ACCEPT = () => resolve();
      connection.onEnd(() => reject(connection.reason()));
    });
    this.accepted.catch(() => {});
    const success = handlers.USERAUTH_SUCCESS;
    handlers.USERAUTH_SUCCESS = (protocol) => {
      connection.entered();
      // Starts ssh2's keepalive
      success(protocol);
      this.#reply({ type: "success" });
    };
    handlers.USERAUTH_FAILURE = (_protocol, methods, partial) =>
      this.#reply({ type: "failure", methods, partial });
    handlers.USERAUTH_PK_OK = () => this.#reply({ type: "acceptable" });
    handlers.USERAUTH_PASSWD_CHANGEREQ = () => this.#reply({ type: "expired" });
    handlers.USERAUTH_INFO_REQUEST = (_protocol, _name, instructions, questions) =>
      this.#reply({ type: "questions", instructions, questions });
  }

  /** Whether a password or an answer to a question has crossed the session: its keys are then not to be given away. */
  get secretSent(): boolean {
    return this.#secretSent;
  }

  none(): Promise<AuthReply> {
    return this.#request(() => this.#connection.core.authNone());
  }

  query({ public: { type, blob } }: Credential): Promise<AuthReply> {
    return this.#request(() => this.#connection.core.queryKey(signatureAlgorithm(type), blob));
  }

  async signed(credential: Credential): Promise<AuthReply | undefined> {
    const sent = await this.sendSigned(credential);
    return sent?.reply;
  }

  /** Sends the signed request. Resolves when it is sent, with the promise of its answer; undefined: nothing was sent. */
  async sendSigned(credential: Credential): Promise<{ readonly reply: Promise<AuthReply> } | undefined> {
    let missing = false;
    const { type, blob } = credential.public;
    const { core } = this.#connection;
    const reply = this.#request(() => {});
    reply.catch(() => {});
    const sent = core.signedKey(signatureAlgorithm(type), blob, async (data) => {
      const signature = await credential.sign(data);
      if (this.#connection.ended) throw this.#connection.reason();
      if (signature) return signature;
      missing = true;
      throw new MopError("KEY_UNREADABLE", `no passphrase for ${credential.label}`);
    });
    try {
      await sent;
    } catch (error) {
      this.#waiting = undefined;
      if (missing) return undefined;
      throw error;
    }
    return { reply };
  }

  password(password: string): Promise<AuthReply> {
    this.#secretSent = true;
    return this.#request(() => this.#connection.core.authPassword(password));
  }

  keyboard(): Promise<AuthReply> {
    return this.#request(() => this.#connection.core.authKeyboard());
  }

  answer(answers: readonly string[]): Promise<AuthReply> {
    if (answers.length > 0) this.#secretSent = true;
    return this.#request(() => this.#connection.core.answerPrompts(answers));
  }

  #request(send: () => void): Promise<AuthReply> {
    return new Promise((resolve, reject) => {
      if (this.#connection.ended) return reject(this.#connection.reason());
      this.#waiting = resolve;
      this.#connection.onEnd(() => reject(this.#connection.reason()));
      send();
    });
  }

  #reply(reply: AuthReply): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(reply);
  }
}
