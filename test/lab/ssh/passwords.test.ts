import type { AuthContext } from "ssh2";
import { afterEach, describe, expect, it } from "vitest";
import { createLogin } from "../../../transport/ssh/login.js";
import { dialSocket } from "../../../transport/ssh/tcp.js";
import type { LoginPace, Prompter, Target } from "../../../transport/ssh/types.js";
import { type LibraryServer, libraryTarget, startLibrary } from "../../support/ssh2-server.js";

const PACES = ["plain", "conformant", "eager"] as const;
const SECRET = "p4ss, word";
const WRONG = "n0t the word";

let server: LibraryServer;
afterEach(() => server?.stop());

const logIn = async (more: Partial<Target>, pace: LoginPace = "plain", prompter?: Prompter) => {
  const open = () => dialSocket(server.address, server.port, 5000);
  const target = libraryTarget(server, { identityFiles: [], ...more });
  const session = await createLogin()(open, target, { pace, ...(prompter ? { prompter } : {}) });
  await session.authenticated.finally(() => session.close());
};
/** Gives these answers one after another, then none. */
const answering = (...answers: string[]) => {
  const asked: string[] = [];
  const prompter: Prompter = {
    passphrase: async () => undefined,
    async password(_target, prompt) {
      asked.push(prompt);
      return answers.shift();
    },
  };
  return { asked, prompter };
};
const takesPassword = (context: AuthContext) => {
  if (context.method === "password" && context.password === SECRET) context.accept();
  else context.reject(["password"]);
};
const takesCode = (context: AuthContext) => {
  if (context.method !== "keyboard-interactive") return context.reject(["keyboard-interactive"]);
  context.prompt([{ prompt: "Password: " }, { prompt: "Code: ", echo: true }], (answers) => {
    if (answers[0] === SECRET && answers[1] === "123456") context.accept();
    else context.reject(["keyboard-interactive"]);
  });
};

describe("passwords", () => {
  it.each(PACES)("that the target has log in, pace %s", async (pace) => {
    server = await startLibrary({ authenticate: takesPassword });
    await logIn({ password: SECRET }, pace);
  });

  it("are asked for where the target has none, up to three times", async () => {
    server = await startLibrary({ authenticate: takesPassword });
    const { asked, prompter } = answering(WRONG, WRONG, SECRET);
    await logIn({}, "plain", prompter);
    expect(asked).toHaveLength(3);
  });

  it("that are wrong are refused with the methods that were tried, without the password", async () => {
    server = await startLibrary({ authenticate: takesPassword });
    const failing = logIn({ password: WRONG });
    await expect(failing).rejects.toMatchObject({ code: "AUTH_REFUSED" });
    const text = await failing.then(String, (error: Error) => error.message);
    expect(text).toBe("library refused the login of someone (tried password; the server takes password)");
    const all = await logIn({}, "plain", answering(WRONG, WRONG, WRONG).prompter).then(
      String,
      (error: Error) => [error.message, error.stack, JSON.stringify(error)].join(),
    );
    expect(all).not.toContain(WRONG);
    expect(server.requests.filter((request) => request === "password")).toHaveLength(4);
  });

  it("aren't sent before the server says that it takes them, and never to one that doesn't", async () => {
    server = await startLibrary({ authenticate: (context) => context.reject(["publickey"]) });
    await expect(logIn({ password: SECRET })).rejects.toThrow(/the server takes publickey/);
    expect(server.requests).toEqual(["none"]);
  });

  it("answer a single question of keyboard-interactive", async () => {
    server = await startLibrary({
      authenticate(context) {
        if (context.method !== "keyboard-interactive") return context.reject(["keyboard-interactive"]);
        context.prompt([{ prompt: "Password: ", echo: false }], ([answer]) =>
          answer === SECRET ? context.accept() : context.reject(["keyboard-interactive"]),
        );
      },
    });
    await logIn({ password: SECRET });
    await expect(logIn({ password: WRONG })).rejects.toThrow(/tried keyboard-interactive; /);
  });

  it("and codes are asked for one by one where keyboard-interactive has several questions", async () => {
    server = await startLibrary({ authenticate: takesCode });
    const { asked, prompter } = answering(SECRET, "123456");
    await logIn({}, "plain", prompter);
    expect(asked.map((text) => text.trim())).toEqual(["Password:", "Code:"]);
  });

  it("that are wrong are said to be when they are asked for again", async () => {
    server = await startLibrary({ authenticate: takesPassword });
    const again: (boolean | undefined)[] = [];
    const prompter: Prompter = {
      passphrase: async () => undefined,
      async password(_target, _prompt, repeated) {
        again.push(repeated);
        return again.length === 3 ? SECRET : WRONG;
      },
    };
    await logIn({}, "plain", prompter);
    expect(again).toEqual([false, true, true]);
    again.length = 0;
    await logIn({ password: WRONG, passwordTries: 5 }, "plain", prompter);
    expect(again).toEqual([false, true, true]);
  });

  it("and keys are used in the order that is preferred, and not at all where they are switched off", async () => {
    server = await startLibrary({ authenticate: takesPassword });
    const identityFiles = libraryTarget(server).identityFiles;
    await logIn({ identityFiles, password: SECRET, methods: ["password", "publickey"] }, "eager");
    expect(server.requests).toEqual(["none", "password"]);
    const off = logIn({ identityFiles, password: SECRET, methods: ["publickey", "keyboard-interactive"] });
    await expect(off).rejects.toThrow(
      /the server takes password; ssh's configuration allows publickey, keyboard-interactive only\)/,
    );
    const unheeded = { hostKey: [], login: ["PKCS11Provider /lib/p11.so"] };
    await expect(logIn({ identityFiles, unheeded })).rejects.toThrow(
      /\) \(ssh's configuration has PKCS11Provider \/lib\/p11\.so for it, which mop doesn't use\)/,
    );
    const { asked, prompter } = answering(SECRET);
    const batch = logIn({ batch: true }, "plain", prompter);
    await expect(batch).rejects.toThrow(/the server takes password; BatchMode lets nobody be asked\)/);
    expect(asked).toEqual([]);
  });

  it("aren't sent without end to a server that always wants more", async () => {
    server = await startLibrary({ authenticate: (context) => context.reject(["password"], true) });
    await expect(logIn({ password: SECRET })).rejects.toMatchObject({ code: "AUTH_REFUSED" });
    expect(server.requests.filter((request) => request === "password")).toHaveLength(5);
  });

  it("come before a key where the server wants it so", async () => {
    server = await startLibrary({
      authenticate(context) {
        if (context.method === "password" && context.password === SECRET)
          return context.reject(["publickey"], true);
        if (context.method === "publickey" && server.requests.includes("password")) return context.accept();
        context.reject(["password"]);
      },
    });
    await logIn({ identityFiles: libraryTarget(server).identityFiles, password: SECRET });
  });

  it("follow a key where the server wants both; a pipelined login says AUTH_REFUSED then", async () => {
    server = await startLibrary({
      authenticate(context) {
        if (context.method === "publickey")
          return context.signature ? context.reject(["password"], true) : context.accept();
        takesPassword(context);
      },
    });
    const identityFiles = libraryTarget(server).identityFiles;
    await logIn({ identityFiles, password: SECRET });
    await expect(logIn({ identityFiles, password: SECRET }, "eager")).rejects.toMatchObject({
      code: "AUTH_REFUSED",
    });
  });
});
