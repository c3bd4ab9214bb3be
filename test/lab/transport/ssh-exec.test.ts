import { expect } from "vitest";
import { createEndpoint } from "../../../transport/endpoint.js";
import { createLogin } from "../../../transport/ssh/login.js";
import { dialSocket } from "../../../transport/ssh/tcp.js";
import { conformance } from "../../support/conformance.js";
import { createLab } from "../../support/lab.js";
import { parentHello } from "../../support/nodes.js";
import { servingChildBundle } from "../../support/serving-child-bundle.js";

conformance("an SSH exec channel", async () => {
  const bundle = await servingChildBundle();
  const lab = await createLab({ bastions: 1, leaves: 0 });
  const host = lab.host("b1");
  const session = await createLogin()(
    () => dialSocket(host.address, host.port, 10_000),
    {
      name: "b1",
      address: host.address,
      port: host.port,
      user: lab.user,
      identityFiles: [lab.identityFile],
      identitiesOnly: true,
      knownHostsFiles: [lab.knownHostsFile],
      hostKeys: "off",
      connectTimeoutMs: 10_000,
      keepaliveMs: 0,
    },
    { pace: "plain" },
  );
  const errors: Buffer[] = [];
  const pipe = await session.exec(`${process.execPath} ${bundle.file}`, (chunk) => errors.push(chunk));
  const controller = createEndpoint({ root: true });
  await controller.attachChild(1, pipe, parentHello(1));
  return {
    controller,
    node: 1,
    cut: () => host.drop(),
    dispose: async () => {
      await controller.close();
      session.close();
      await lab.close();
      bundle.remove();
      expect(Buffer.concat(errors).toString()).toBe("");
    },
  };
});
