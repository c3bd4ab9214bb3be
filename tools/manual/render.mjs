// The manual's Markdown.

const HEAD = `# Resources

Every type of resource that a role's \`main\` is given. How resources run, fail, and are planned under \`--check\` is told in
[policies.md](policies.md#resources). This file is made by \`npm run manual\` from the types and their docstrings; each
example is type-checked, and run where any machine can, by the tests.
`;

export function render({ groups, common, result }) {
  const parts = [
    HEAD,
    groups.map(contents).join("\n\n"),
    `## Options of all\n\n${optionTable(common)}`,
    `## Results\n\nEvery resource gives these; what a type adds is told there.\n\n${fieldTable(result)}`,
    ...groups.flatMap(({ title, functions }) => [`## ${title}`, ...functions.map(renderFunction)]),
  ];
  return `${parts.map((part) => part.trim()).join("\n\n")}\n`;
}

const contents = ({ title, functions }) =>
  [
    `**${title}**\n`,
    ...functions.map(({ name, text }) => `- [${name}](#${name.toLowerCase()}): ${inline(sentence(text))}`),
  ].join("\n");

function renderFunction({ name, text, signature, examples, options, providers, result }) {
  return [
    `### ${name}`,
    text.split("\n\n").map(inline).join("\n\n"),
    `\`await ${signature.replace(/^package/, "pkg")}\``,
    examples.map((example) => `\`\`\`ts\n${example.trim()}\n\`\`\``).join("\n\n"),
    options.length > 0 ? optionTable(options) : "",
    result.length > 0 ? `Its result has, beside the [fields of all](#results):\n\n${fieldTable(result)}` : "",
    providers.length > 0
      ? `Providers, of which the first that suits the host is taken: ${providers.map((one) => `\`${one}\``).join(", ")}.`
      : "",
    options.length > 0
      ? "And the [options of all](#options-of-all)."
      : "Takes the [options of all](#options-of-all).",
  ]
    .filter(Boolean)
    .join("\n\n");
}

function optionTable(options) {
  const rows = options.map(({ name, expected, required, text }) => {
    const { meaning, byDefault } = splitDefault(text);
    return [`\`${name}\``, inline(expected), inline(meaning), required ? "*required*" : inline(byDefault)];
  });
  return table(["option", "what it is", "meaning", "default"], rows);
}

const fieldTable = (fields) =>
  table(
    ["field", "type", "meaning"],
    fields.map(({ name, optional, type, text }) => [
      `\`${name}${optional ? "?" : ""}\``,
      `\`${type}\``,
      inline(text),
    ]),
  );

/** "Seconds between two tries. Default 1" in its halves; a default ends with its sentence. */
export function splitDefault(text) {
  const found = /(?:^|(?<=[.;,:)] ))[Dd]efault(?: is)?:? (?:(?!\. [A-Z`]).)+/s.exec(
    text.replaceAll("\n", " "),
  );
  if (!found) return { meaning: text.replace(/\.$/, ""), byDefault: "" };
  const flat = text.replaceAll("\n", " ");
  const after = flat.slice(found.index + found[0].length).replace(/^\. /, "");
  const before = flat.slice(0, found.index).replace(/[;,:] $/, after ? ". " : "");
  const value = found[0].replace(/^[Dd]efault(?: is)?:? /, "").replace(/\.$/, "");
  return {
    meaning: `${before}${after}`.replace(/[;,:. ]+$/, ""),
    // A value by itself is code; words are words.
    byDefault: value.replace(/^(?:true|false|null|-?\d[\w.]*|"[^"]*"|\[[^\]]*\])(?=$|[,:;])/, "`$&`"),
  };
}

/** The first sentence, without its full stop. */
const sentence = (text) => /^.*?(?=\. |\.$|$)/.exec(text.replaceAll("\n", " "))[0];

const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n")
    .replace(/^\| (--- \| )+--- \|$/m, `|${"---|".repeat(head.length)}`);

/** Text on one line; what Markdown would take for marks is none outside of code. */
const inline = (text) =>
  text
    .replaceAll("\n", " ")
    .trim()
    .split(/(`[^`]*`)/)
    .map((piece) => (piece.startsWith("`") ? piece : piece.replace(/[*<]/g, "\\$&")))
    .join("");
