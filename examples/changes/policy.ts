// What follows from a change: handlers, and who decides what a change is. `mop local examples/changes`, twice.
import { definePolicy, defineRole } from "mop";

const changes = defineRole({
  name: "changes",
  vars: { port: 8080 },
  async main({ vars, facts, directory, file, shell, echo }) {
    const root = `${vars.root ?? `${facts.user.home}/mop-examples`}/changes`;
    await directory(root);

    // A handler is an `if` behind the resource: it runs in the first run, and after each edit of the configuration.
    // (For a real service it is `await service("shop", { restarted: true })`.)
    const conf = await file(`${root}/app.conf`, { content: `port = ${vars.port}\n` });
    if (conf.changed) await shell("echo restarted >> restarts.log", { cwd: root });

    // One handler for several: any of them will do, and it runs once.
    const parts = [
      await file(`${root}/a.conf`, { content: "a\n" }),
      await file(`${root}/b.conf`, { content: "b\n" }),
    ];
    if (parts.some((part) => part.changed)) await shell("cat a.conf b.conf > all.conf", { cwd: root });

    // A command knows best itself whether it changed something: this one appends its line where it is missing.
    await shell("grep -qx tuned state 2>/dev/null || { echo tuned >> state; echo 'now tuned'; }", {
      cwd: root,
      changedWhen: ({ stdout }) => stdout.includes("now tuned"),
    });

    // `changes` says what it was: "create" in the first run, "content" after an edit.
    await echo(conf.changed ? `app.conf: ${conf.changes.join(", ")}` : "app.conf is as it was");
  },
});

export default definePolicy({ roles: [{ role: changes }] });
