import { joinStdio } from "../../relay/boot/stdio.js";
import { servingNode } from "./nodes.js";

/** A process whose stdin and stdout are the pipe to its parent; ends with it. See `servingChildBundle`. */
const pipe = joinStdio(process.stdin, process.stdout);
const node = servingNode(pipe);
void node.parentGone.then(() => process.exit(0));
