import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { askMark, type Become } from "../../../relay/boot/become.js";
import { bootCommand, shellArgs } from "../../../relay/boot/command.js";
import { createQuestions } from "../../../relay/boot/questions.js";

const plain = {
  node: "",
  nonce: "c0ffee",
  size: 10,
  hash: "ab",
  title: "mop relay of alice@laptop, run 3f2a",
};
const METHODS = ["sudo", "su", "doas"] as const;

describe("a boot command that becomes another user", () => {
  test.each(METHODS.flatMap((method) => [[method, undefined] as const, [method, "geheim"] as const]))(
    "by %s with the password %s holds no secret and nothing that a login shell expands",
    (method, password) => {
      const become: Become = { method, user: "postgres", ...(password === undefined ? {} : { password }) };
      const command = bootCommand({ ...plain, become });
      expect(command).not.toContain("geheim");
      expect(command).not.toMatch(/[\\!\n\r\0]/);
      const outside = command.split("'").filter((_, index) => index % 2 === 0);
      expect(outside.join("")).toMatch(/^exec sh -c +$/);
      expect(command).toContain("'postgres'");
    },
  );

  test.each(["", "-x", "o'brien", "a b\nc", "wow!"])("refuses the user %j", (user) => {
    expect(() => bootCommand({ ...plain, become: { method: "sudo", user } })).toThrow(/no user's name/);
  });

  test("runs the same finder and first stage as one that doesn't", () => {
    const args = shellArgs({ ...plain, become: { method: "sudo", user: "root" } });
    expect(args.slice(6)).toEqual(shellArgs(plain));
  });
});

describe("createQuestions()", () => {
  const ask = (words: boolean, secret = "geheim") =>
    createQuestions({ secret: Buffer.from(secret), words, sealed: false }, "c0ffee");

  test("answers its own mark once, however the stream is cut, and overwrites the secret", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (cuts) => {
        const secret = Buffer.from("geheim");
        const questions = createQuestions({ secret, words: false, sealed: false }, "c0ffee");
        const all = Buffer.from(`a lecture about\npassword: ${askMark("c0ffee")}`);
        const answers: string[] = [];
        for (let at = 0, k = 0; at < all.length; k++) {
          const n = cuts[k % cuts.length]!;
          const answer = questions.take(all.subarray(at, at + n));
          if (answer) answers.push(answer.toString());
          at += n;
        }
        expect(answers).toEqual(["geheim\n"]);
        expect([...secret]).toEqual([0, 0, 0, 0, 0, 0]);
        expect(questions.refusal).toBeUndefined();
      }),
    );
  });

  test("another run's mark and mere words get no answer from it", () => {
    const questions = ask(false);
    expect(questions.take(Buffer.from(askMark("beef")))).toBeUndefined();
    expect(questions.take(Buffer.from("\nPassword: "))).toBeUndefined();
    expect(questions.refusal).toBeUndefined();
  });

  test.each(["Password: ", "doas (deploy@l1) password: ", "Password:"])(
    "answers %j where words are what is known",
    (text) => {
      expect(
        ask(true)
          .take(Buffer.from(`motd\n${text}`))
          ?.toString(),
      ).toBe("geheim\n");
    },
  );

  test("a text with the word in an earlier line is no question", () => {
    expect(ask(true).take(Buffer.from("Your password: expires\n"))).toBeUndefined();
  });

  test("asked again, it says that the password was refused", () => {
    const questions = ask(true);
    questions.take(Buffer.from("Password: "));
    expect(questions.take(Buffer.from("\r\nPassword: "))).toBeUndefined();
    expect(questions.refusal).toMatch(/refused/);
  });

  test("asked without a password, it says how to give one", () => {
    const questions = ask(true, "");
    expect(questions.take(Buffer.from("Password: "))).toBeUndefined();
    expect(questions.refusal).toMatch(/-K.*mop_become_password/);
  });
});
