/** The machines a package is made for, and what they are called by whom. */
export const ARCHITECTURES = {
  amd64: { node: 'x64', gnu: 'x86_64-linux-gnu', elf: 'Advanced Micro Devices X86-64', serial: 'glibc' },
  arm64: { node: 'arm64', gnu: 'aarch64-linux-gnu', elf: 'AArch64', serial: 'armv8.glibc' },
} as const;

export type Architecture = keyof typeof ARCHITECTURES;

export const isArchitecture = (name: string): name is Architecture => Object.hasOwn(ARCHITECTURES, name);
