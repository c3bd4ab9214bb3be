/** Colours of a terminal; the identity where there is none. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

const paint = (on: boolean, open: number, close: number) => (text: string) =>
  on ? `\x1b[${open}m${text}\x1b[${close}m` : text;

export function createStyle(colour: boolean): Style {
  return {
    bold: paint(colour, 1, 22),
    dim: paint(colour, 2, 22),
    red: paint(colour, 31, 39),
    green: paint(colour, 32, 39),
    yellow: paint(colour, 33, 39),
    cyan: paint(colour, 36, 39),
  };
}

/** Colour only on a terminal; NO_COLOR (https://no-color.org) and TERM=dumb turn it off. */
export function wantsColour(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
}
