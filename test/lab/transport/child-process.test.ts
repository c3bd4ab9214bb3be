import { spawn } from "node:child_process";
import { once } from "node:events";
import { joinStdio } from "../../../relay/boot/stdio.js";
import { createEndpoint } from "../../../transport/endpoint.js";
import { conformance } from "../../support/conformance.js";
import { parentHello } from "../../support/nodes.js";
import { servingChildBundle } from "../../support/serving-child-bundle.js";

conformance("a child process's stdio", async () => {
  const bundle = await servingChildBundle();
  const child = spawn(process.execPath, [bundle.file], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const controller = createEndpoint({ root: true });
  await controller.attachChild(1, joinStdio(child.stdout, child.stdin), parentHello(1));
  return {
    controller,
    node: 1,
    cut: () => child.kill("SIGKILL"),
    dispose: async () => {
      await controller.close();
      // A process that outlives its link would hold this up until the test fails.
      await exited;
      bundle.remove();
    },
  };
});
