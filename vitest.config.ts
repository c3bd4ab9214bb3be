import os from "node:os";
import { defineConfig } from "vitest/config";

// Rings: unit = pure logic; lab = the embedded lab on loopback (real sshd too where there is one); containers =
// real OpenSSH on nested networks, needs Docker.
const ring = (name: string, testTimeout: number, extra: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: testTimeout, ...extra },
});

export default defineConfig({
  test: {
    // Most of what tests do is waiting: two files at a time where there are two processors, too.
    maxWorkers: Math.max(2, os.availableParallelism() - 1),
    projects: [
      ring("unit", 20_000),
      ring("lab", 60_000),
      // Each file has networks of its own, and an engine has addresses for some thirty of them.
      ring("containers", 300_000, { maxWorkers: 2, sequence: { groupOrder: 1 } }),
    ],
  },
});
