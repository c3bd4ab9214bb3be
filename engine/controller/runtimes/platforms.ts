/** Where a Node that is brought may run: the system, the processor and, where it is not glibc, the C library. */
export const PLATFORMS = [
  "linux-x64",
  "linux-arm64",
  "linux-x64-musl",
  "linux-arm64-musl",
  "darwin-x64",
  "darwin-arm64",
] as const;
export type PlatformName = (typeof PLATFORMS)[number];

export const isPlatform = (text: string): text is PlatformName =>
  (PLATFORMS as readonly string[]).includes(text);
