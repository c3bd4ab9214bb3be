// The smallest policy that does something. On this machine: `mop local examples/hello`
import { definePolicy, defineRole } from "mop";

const hello = defineRole({
  name: "hello",
  // Defaults; `-e greeting=Hi` stands over them.
  vars: { greeting: "Hello" },
  async main({ vars, facts, directory, file, echo }) {
    // All these examples write below one folder of yours, so that they need no root; `-e root=/elsewhere` moves it.
    const root = vars.root ?? `${facts.user.home}/mop-examples`;
    await directory(`${root}/hello`, { mode: 0o755 });
    // A resource says how something shall be. The second run finds it so, and changes nothing.
    await file(`${root}/hello/hello.txt`, { content: `${vars.greeting}, world!\n`, mode: 0o644 });
    // What is told to the operator is a template over variables and facts.
    await echo("{{ greeting }} from {{ facts.hostname }}, which has {{ facts.cpus.count }} processors");
  },
});

export default definePolicy({ roles: [{ role: hello }] });
