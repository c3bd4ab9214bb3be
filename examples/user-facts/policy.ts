// What a host knows of itself: built-in facts, an administrator's, and a role's own. `mop local examples/user-facts`
import { defineFact, definePolicy, defineRole } from "mop";

// A fact of one's own travels with its role, and is gathered on the host when it is asked for, once a run.
const loginShells = defineFact(async ({ read }) =>
  ((await read("/etc/shells")) ?? "").split("\n").filter((line) => line.startsWith("/")),
);

const userFacts = defineRole({
  name: "user-facts",
  facts: { loginShells },
  async main({ vars, facts, directory, file, echo }) {
    const root = `${vars.root ?? `${facts.user.home}/mop-examples`}/user-facts`;
    await directory(root);

    // An administrator puts facts on a host as files: /etc/mop/facts.d/NAME.json, .toml, .yaml, or a program that prints
    // JSON; OpsMop's /etc/opsmop/facts.d is read too. With `-e rack=r7`, as root, this role puts one there itself.
    if (vars.rack !== undefined) {
      await directory("/etc/mop/facts.d");
      const content = `${JSON.stringify({ name: vars.rack })}\n`;
      const put = await file("/etc/mop/facts.d/rack.json", { content });
      // What was gathered before it would stay as it was for the rest of the run.
      if (put.changed) facts.invalidate();
    }
    const custom = await facts.custom();

    // Templates see the plain facts (`facts.hostname`); what is gathered on demand is handed over.
    await file(`${root}/host`, {
      content: [
        `system ${facts.platform} on ${facts.architecture}`,
        `shells ${(await facts.loginShells()).join(" ")}`,
        `facts of its own: ${Object.keys(custom).sort().join(" ") || "none"}`,
        "",
      ].join("\n"),
    });
    // Not `rack`: --extra-vars stand over a template's own variables too.
    await echo("in rack {{ place.name }}", {
      vars: { place: custom.rack ?? { name: "nobody knows which" } },
    });

    // Tests of files are facts too, of what a check planned as well; a choice by chance is one of them each time.
    if (await facts.file.exists(`${root}/host`)) await echo("the host's file is there");
    await echo("today's tea is {{ tea }}", { vars: { tea: facts.chaos.choice(["green", "black", "mint"]) } });
  },
});

export default definePolicy({ roles: [{ role: userFacts }] });
