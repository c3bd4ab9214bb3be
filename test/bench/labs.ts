/** The container labs that the benchmark pushes through: real OpenSSH, two and three bastions. */
import { type ContainerLab, createContainerLab } from "../containers/support/container-lab.js";
import { findEngine } from "../containers/support/engine.js";

export interface Labs {
  /** Two bastions and ten leaves */
  readonly two: ContainerLab;
  /** Three bastions and one leaf */
  readonly three: ContainerLab;
  close(): Promise<void>;
}

export async function createLabs(): Promise<Labs> {
  const engine = await findEngine();
  if ("missing" in engine) throw new Error(`the container lab can't be built: ${engine.missing}`);
  const { image } = engine;
  const leaves = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`l${i + 1}`, {}]));
  const two = await createContainerLab({ image, leaves: leaves(10) });
  try {
    const three = await createContainerLab({ image, bastions: 3, leaves: leaves(1) });
    return {
      two,
      three,
      close: async () => {
        await Promise.all([two.close(), three.close()]);
      },
    };
  } catch (error) {
    await two.close();
    throw error;
  }
}
