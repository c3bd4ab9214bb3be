import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, test } from "vitest";
import { judge } from "../../states/judge.js";
import { playStates } from "../../states/play.js";
import type { State } from "../../states/state.js";
import { COMMAND_STATES } from "../../states/tables/commands.js";
import { FILES } from "../../states/tables/files.js";
import { freePort } from "../../support/ports.js";
import { tempFolder } from "../controller/temp-folder.js";

describe("what a check says of a prepared state is what apply does, and a second apply does nothing", () => {
  let web: Server;
  let free: number;
  beforeAll(async () => {
    web = createServer((request, response) => {
      response.writeHead(request.url === "/" ? 200 : 404).end("It works\n");
    });
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    free = await freePort();
  });
  afterAll(() => web.close());

  const all = [...FILES.states, ...COMMAND_STATES.states];
  test.each(all.map((state): [string, State] => [`${state.type}: ${state.claim}`, state]))(
    "%s",
    async (_, state) => {
      const words = { port: (web.address() as AddressInfo).port, free };
      const [played] = await playStates({ states: [state] }, await tempFolder(), words);
      judge(state, played!);
    },
  );
});
