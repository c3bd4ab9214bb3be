import { createHash } from "node:crypto";
import { unlink } from "node:fs/promises";
import type { RepositoryOptions, Result } from "../../../vocabulary/resources.js";
import { causeOf, Refusal } from "../../errors.js";
import { rules } from "../../options.js";
import type { Plan, ResourceType, TypeContext } from "../../type.js";
import { file } from "../file.js";
import { fileStep, type Step, stepsPlan } from "../steps.js";
import { fetchBytes } from "./fetch-bytes.js";
import { aptSource, type RepositoryProvider, yumRepo } from "./repository-formats.js";

const PROVIDERS: readonly RepositoryProvider[] = [aptSource, yumRepo("dnf"), yumRepo("yum")];
const KEY_OPTIONS = ["key", "keySource", "keyUrl"] as const;

/** A repository of packages with its signing key, or that there is none. */
export const repository: ResourceType<RepositoryOptions, Result, RepositoryProvider> = {
  name: "repository",
  options: {
    url: rules.text,
    suites: rules.list,
    components: rules.list,
    architectures: rules.list,
    description: rules.text,
    key: rules.text,
    keySource: rules.path,
    keyUrl: rules.text,
    keyChecksum: rules.text,
    unsigned: rules.flag,
    enabled: rules.flag,
    absent: rules.flag,
  },
  providers: PROVIDERS,
  async plan(context, name, options, provider) {
    if (!/^[A-Za-z0-9][\w.+-]*$/.test(name))
      throw new Refusal("its name is that of a file: letters, digits, and . + - _ in it");
    mustFit(options, provider);
    if (options.absent) return planAbsent(context, name, provider);
    const key = await keyOf(context, name, options, provider);
    const text = provider.text(name, options, key?.path, context.facts);
    const at = provider.file(name);
    const before = await context.read(at);
    const steps = [
      ...(await keySteps(context, name, key, provider)),
      await fileStep(context, "source", at, text, { own: true }),
    ];
    const changes = steps.some((step) => step !== undefined);
    const lists =
      changes && options.enabled !== false ? refresh(context, name, at, before, provider) : undefined;
    return stepsPlan(context, [...steps, lists]);
  },
};

function mustFit(options: RepositoryOptions, provider: RepositoryProvider): void {
  const given = (Object.keys(options) as (keyof RepositoryOptions)[]).filter(
    (option) => options[option] !== undefined && options[option] !== false,
  );
  const { url, absent, unsigned, keyUrl, keyChecksum } = options;
  const alien = given.find((option) => provider.alien.includes(option));
  if (alien !== undefined) throw new Refusal(`the option "${alien}" is not for ${provider.name}`);
  const needless = given.find((option) => option === "url" || KEY_OPTIONS.includes(option as "key"));
  if (absent && needless !== undefined) throw new Refusal(`it can't have both "${needless}" and "absent"`);
  if (absent) return;
  if (url === undefined) throw new Refusal('it needs the option "url"');
  if (!/^[a-z+-]+:\S+$/.test(url)) throw new Refusal(`"${url}" is no URL`);
  const keys = KEY_OPTIONS.filter((option) => options[option] !== undefined);
  if (keys.length > 1) throw new Refusal(`it can't have both "${keys[0]}" and "${keys[1]}"`);
  if (unsigned && keys.length > 0) throw new Refusal(`it can't have both "${keys[0]}" and "unsigned"`);
  if (keyUrl !== undefined && !/^(https?|file):/.test(keyUrl))
    throw new Refusal('the option "keyUrl" must begin with https:, http: or file:');
  if (keyUrl !== undefined && keyChecksum === undefined)
    throw new Refusal(
      '"keyUrl" needs "keyChecksum", the SHA-256 of the key: a key that anyone may replace proves nothing',
    );
  if (keyChecksum !== undefined && keyUrl === undefined) throw new Refusal('"keyChecksum" is for "keyUrl"');
  if (keyChecksum !== undefined && !/^(sha256:)?[0-9a-f]{64}$/i.test(keyChecksum))
    throw new Refusal('the option "keyChecksum" must be a SHA-256: 64 hexadecimal digits');
}

interface Key {
  readonly path: string;
  readonly content: Uint8Array;
}

const ARMOUR = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

/** The key and where it belongs; apt tells by the end of the name whether it has its armour. */
async function keyOf(
  context: TypeContext,
  name: string,
  options: RepositoryOptions,
  provider: RepositoryProvider,
): Promise<Key | undefined> {
  const content = await keyContent(context, name, options, provider);
  if (content === undefined) return undefined;
  const armoured = Buffer.from(content).includes(ARMOUR);
  if (!armoured && !(content[0] !== undefined && content[0] >= 0x80))
    throw new Refusal("its key is no OpenPGP key, neither with armour nor without");
  if (!armoured && !provider.bareKeys)
    throw new Refusal(
      `its key must have its armour ("${ARMOUR}") for ${provider.name}; \`gpg --enarmor\` gives it one`,
    );
  return { content, path: provider.keyFile(name, armoured) };
}

async function keyContent(
  context: TypeContext,
  name: string,
  { key, keySource, keyUrl, keyChecksum }: RepositoryOptions,
  provider: RepositoryProvider,
): Promise<Uint8Array | undefined> {
  if (key !== undefined) return Buffer.from(key.endsWith("\n") ? key : `${key}\n`);
  if (keySource !== undefined) return context.offered.read(keySource);
  if (keyUrl === undefined || keyChecksum === undefined) return undefined;
  const wanted = keyChecksum.replace(/^sha256:/i, "").toLowerCase();
  for (const armoured of [true, false]) {
    const place = await context.files.resolve(provider.keyFile(name, armoured), true);
    const there =
      place.entry?.kind === "file" ? await context.files.read(place.path, place.entry) : undefined;
    if (there && sha256(there) === wanted) return there;
  }
  const fetched = await fetchBytes(keyUrl, context.signal);
  const sum = sha256(fetched);
  if (sum !== wanted) throw new Refusal(`what lies at ${keyUrl} has the SHA-256 ${sum}, not ${wanted}`);
  return fetched;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Without its lists nothing can be installed from it, so that a wrong address or key shows here. */
function refresh(
  context: TypeContext,
  name: string,
  at: string,
  before: string | undefined,
  provider: RepositoryProvider,
): Step {
  return {
    action: "refresh",
    async apply() {
      const [program, ...args] = provider.refresh(name, at);
      try {
        const { stdout, stderr } = await context.exec(program!, args);
        const problem = provider.problem(`${stdout}\n${stderr}`);
        if (problem !== undefined) throw new Refusal(problem);
      } catch (error) {
        // What can't be used must not stay: the next run would find nothing to do, and apt would fail for all others.
        if (before === undefined) await unlink(at);
        else await (await file.plan(context, at, { content: before }, undefined)).apply();
        throw new Refusal(`its lists can't be fetched, so it was taken away again: ${causeOf(error)}`);
      }
    },
  };
}

async function planAbsent(context: TypeContext, name: string, provider: RepositoryProvider): Promise<Plan> {
  const source = await fileStep(context, "source", provider.file(name), undefined);
  return stepsPlan(context, [source, ...(await keySteps(context, name, undefined, provider))]);
}

/** The key where it belongs, and none of the other kind beside it; without one, none at all. */
async function keySteps(
  context: TypeContext,
  name: string,
  key: Key | undefined,
  provider: RepositoryProvider,
): Promise<Step[]> {
  const places = new Set([true, false].map((armoured) => provider.keyFile(name, armoured)));
  const steps: Step[] = [];
  for (const at of places) {
    const own = key?.path === at;
    const step = await fileStep(context, "key", at, own ? key.content : undefined, { own });
    if (step) steps.push(step);
  }
  return steps;
}
