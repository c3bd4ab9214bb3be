// The everyday resources, with conditions and loops. `mop local examples/basics --check --diff` tells what it would do.
import { definePolicy, defineRole } from "mop";

const basics = defineRole({
  name: "basics",
  vars: { app: "shop", port: 8080, users: ["ann", "bob"], debug: false },
  async main({ vars, facts, directory, file, link, copyTree, lineInFile, shell, command, assert, echo }) {
    const root = `${vars.root ?? `${facts.user.home}/mop-examples`}/basics`;

    // A folder; those above it that are missing are made too.
    await directory(`${root}/conf`, { mode: 0o750 });

    // A file from a template beside this policy, with a variable of its own over the role's.
    const workers = facts.cpus.count;
    await file(`${root}/conf/app.conf`, {
      template: "templates/app.conf.j2",
      vars: { workers },
      mode: 0o640,
    });

    // A file as it lies here: one that is executable stays so.
    await file(`${root}/check`, { source: "files/check" });

    // A folder with all that is in it; what somebody else put there goes. A link names it.
    await copyTree(`${root}/site`, { source: "files/site", purge: true });
    await link(`${root}/current`, { to: "site" });

    // A loop is a loop. With overwrite: false a file is made once, and then belongs to whoever edits it.
    await directory(`${root}/users`);
    for (const user of vars.users) {
      await file(`${root}/users/${user}`, { content: `# ${user}'s settings\n`, overwrite: false });
    }

    // A condition is a condition; of a file that others write too, one line is ours.
    if (facts.platform === "linux") {
      await lineInFile(`${root}/conf/limits`, { regexp: "^files=", line: "files=4096", create: true });
    }
    if (!vars.debug) await file(`${root}/debug.log`, { absent: true });

    // A command counts as a change each time, unless it only looks (then --check runs it too) ...
    const { stdout } = await shell("uname -s", { readOnly: true });
    // ... or makes something, and is left alone where that is there.
    await command("cp", { args: ["check", "check.orig"], cwd: root, creates: `${root}/check.orig` });

    // What must hold for the rest to make sense, under --check as well.
    await assert("the port needs no root", { that: vars.port >= 1024 });
    await echo("{{ app }} is set up on {{ kernel }} for {{ users | join(', ') }}", {
      vars: { kernel: stdout.trim() },
    });
  },
});

export default definePolicy({ roles: [{ role: basics }] });
