import { Refusal } from "../../errors.js";
import { newest } from "./dnf.js";
import type { PackageProvider } from "./provider.js";
import { rows } from "./provider.js";

export const pacman: PackageProvider = {
  name: "pacman",
  suits: ({ packageManager }) => packageManager === "pacman",
  async installed(context, names) {
    const { stdout, stderr } = await context.exec("pacman", ["-Q", ...names], { accept: [0, 1] });
    // A row for each name that was found, under the name of the package that provides it.
    const missing = new Set([...stderr.matchAll(/package '(.+)' was not found/g)].map(([, name]) => name));
    const there = names.filter((name) => !missing.has(name));
    return new Map(rows(stdout, " ").map(([, version = ""], index) => [there[index] ?? "", version]));
  },
  async offered(context, names, installed) {
    const { stdout } = await context.exec("pacman", ["-Si", ...names], { accept: [0, 1] });
    const found = new Map<string, string>();
    let name = "";
    for (const [key, value = ""] of rows(stdout, /\s*:\s(.*)/)) {
      if (key === "Name") name = value;
      // The first repository that has it is the one that is asked.
      if (key === "Version" && !found.has(name)) found.set(name, value);
    }
    return newest(found, installed);
  },
  async refresh(context) {
    await context.exec("pacman", ["-Sy", "--noconfirm"]);
  },
  async install(context, packages) {
    await context.exec("pacman", ["-S", "--noconfirm", "--needed", ...packages.map(({ name }) => name)]);
  },
  async remove(context, names) {
    await context.exec("pacman", ["-R", "--noconfirm", ...names]);
  },
  async rehearse(context, task) {
    const comes = "install" in task;
    const what = comes
      ? ["-Sp", "--needed", ...task.install.map(({ name }) => name)]
      : ["-Rp", ...task.remove];
    const { rc, stdout, stderr } = await context.exec("pacman", [...what, "--print-format", "%n %v"], {
      accept: "any",
    });
    if (rc !== 0) {
      // ":: removing apple breaks dependency 'apple' required by pie"
      const why = /^:: (.+)$/m.exec(stdout + stderr)?.[1] ?? stderr.trim().split("\n").pop() ?? "";
      throw new Refusal(`pacman would refuse it: ${why}`);
    }
    return rows(stdout, " ").map(([name = "", version]) =>
      comes ? { name, after: version } : { name, before: version },
    );
  },
};
