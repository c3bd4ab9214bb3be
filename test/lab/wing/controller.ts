import { readFileSync } from "node:fs";
import { decodeValue } from "../../../transport/wire/value.js";
import { local, offer, openMesh } from "./mesh.js";

/** A controller of its own, to be killed: runs the wing in the file on a node and says the pids of both. */
const [coreFile, wingFile] = process.argv.slice(2);
const mesh = openMesh(readFileSync(coreFile!));
const node = mesh.reach([local]);
const entry = offer(mesh, node, readFileSync(wingFile!));
await node.wing({
  entry,
  order: Buffer.alloc(0),
  onEvent: async (event) => {
    console.log(JSON.stringify({ pids: decodeValue(event), node: (await node.up).pid }));
  },
});
