// What fails, who notices, and how a role goes on. `mop local examples/errors`, then with `-e strict=true`.
import { definePolicy, defineRole, ResourceError } from "mop";

const errors = defineRole({
  name: "errors",
  vars: { strict: false },
  async main({ vars, facts, directory, file, shell, assert, echo }) {
    const root = `${vars.root ?? `${facts.user.home}/mop-examples`}/errors`;
    await directory(root);

    // ignoreErrors: told to the operator, counted apart, and the result says it; the role goes on.
    const lost = await file(`${root}/no/such/folder/note`, { content: "lost\n", ignoreErrors: true });
    if (lost.failed) await echo("ignored: {{ error }}", { vars: { error: lost.error } });

    // failedWhen: what counts as a failure. grep's 1 means "not found", which is fine here; 2 is an error.
    await file(`${root}/words`, { content: "tea\ncoffee\n" });
    const cocoa = await shell("grep -c cocoa words", {
      cwd: root,
      readOnly: true,
      failedWhen: ({ rc }) => rc === null || rc > 1,
    });
    await echo("there is {{ count }} time cocoa", { vars: { count: cocoa.stdout.trim() } });

    // try and catch: a failed resource throws a ResourceError with its result; `finally` runs as ever.
    try {
      await shell("echo 'disk is on fire' >&2; exit 3", { readOnly: true });
    } catch (error) {
      if (!(error instanceof ResourceError)) throw error;
      await file(`${root}/report`, { content: `the ${error.type} failed\n` });
    }

    // retries and until: tried again, a second apart, until it is as it shall be.
    await shell("test -s words && echo ready", {
      cwd: root,
      readOnly: true,
      until: ({ stdout }) => stdout === "ready\n",
    });

    // Caught by nobody, a failure ends the role on this host; other hosts finish it, later roles don't start.
    await assert("nothing was strict", {
      that: !vars.strict,
      message: "strict was asked for, so this is the end",
    });
    await file(`${root}/end`, { content: "reached\n" });
  },
});

export default definePolicy({ roles: [{ role: errors }] });
