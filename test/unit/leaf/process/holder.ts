import { Children } from "../../../../engine/leaf/process/children.js";

// Bundled and started as a process of its own, to be killed: holds a command in Children.
const children = new Children({ childStarted: () => undefined, childEnded: () => undefined });
void children.run({
  file: "/bin/sh",
  args: ["-c", process.argv[2]!],
  signal: new AbortController().signal,
  onOutput: async (_, text) => void process.stdout.write(text),
});
