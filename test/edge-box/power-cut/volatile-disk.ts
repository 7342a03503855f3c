/**
 * A disk whose write cache is lost with the power: of each sector written since the last flush, any of its contents
 * since then may be what is left, so writes are lost, reordered and torn apart. See volatile-disk.c for the other half.
 */
import { execFile } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOURCE = fileURLToPath(new URL('./volatile-disk.c', import.meta.url));
/** As on cards and disks of today. ext4 does not mount any more when a block of its journal is torn within. */
const SECTOR_BYTES = 4096;
const HEAD_BYTES = 16;
const COMPILER_TIMEOUT_MS = 60_000;

export interface SectorCounts {
  readonly unflushed: number;
  /** Of these: not as last written. */
  readonly lost: number;
}

/** `lying`: the disk forgets although it was asked to flush; for the counter-proof. */
export async function makeVolatileDisk(
  image: string,
  directory: string,
  lying: boolean,
): Promise<VolatileDisk> {
  const library = join(directory, 'volatile-disk.so');
  const compile = ['-shared', '-fPIC', '-O1', '-D_FILE_OFFSET_BITS=64', '-o', library, SOURCE, '-ldl'];
  await promisify(execFile)('cc', compile, { timeout: COMPILER_TIMEOUT_MS });
  const undo = join(directory, 'undo.bin');
  rmSync(undo, { force: true });
  return new VolatileDisk(image, undo, library, lying);
}

export class VolatileDisk {
  readonly #image: string;
  readonly #undo: string;
  /** For the process whose disk the image is. */
  readonly env: Readonly<Record<string, string>>;

  constructor(image: string, undo: string, library: string, lying: boolean) {
    this.#image = image;
    this.#undo = undo;
    this.env = {
      LD_PRELOAD: library,
      VOLATILE_DISK: image,
      VOLATILE_UNDO: undo,
      ...(lying ? { VOLATILE_LIES: '1' } : {}),
    };
  }

  /** The power was cut. */
  losePower(random: () => number): SectorCounts {
    const versions = this.#overwritten();
    // Sometimes all is kept or all is lost; mostly each sector is decided for itself.
    const kind = random();
    const pick = (count: number) =>
      kind < 0.15 ? count : kind < 0.3 ? 0 : Math.floor(random() * (count + 1));
    const image = openSync(this.#image, 'r+');
    let lost = 0;
    for (const [sector, contents] of versions) {
      const kept = contents[pick(contents.length)];
      if (!kept) continue;
      lost++;
      writeSync(image, kept, 0, kept.length, sector * SECTOR_BYTES);
    }
    closeSync(image);
    rmSync(this.#undo, { force: true });
    return { unflushed: versions.size, lost };
  }

  /** By sector: its contents before each write since the last flush, oldest first. */
  #overwritten(): Map<number, Buffer[]> {
    const undo = existsSync(this.#undo) ? readFileSync(this.#undo) : Buffer.alloc(0);
    const versions = new Map<number, Buffer[]>();
    for (let at = 0; at + HEAD_BYTES <= undo.length; ) {
      const offset = Number(undo.readBigUInt64LE(at));
      const length = Number(undo.readBigUInt64LE(at + 8));
      const begin = at + HEAD_BYTES;
      at = begin + length;
      if (offset % SECTOR_BYTES !== 0 || length % SECTOR_BYTES !== 0)
        throw new Error(
          `${this.#undo}: expected writes of whole sectors, found ${length} bytes at ${offset}`,
        );
      // Killed while it noted this one: the write itself has not begun.
      if (at > undo.length) break;
      for (let done = 0; done < length; done += SECTOR_BYTES) {
        const sector = (offset + done) / SECTOR_BYTES;
        const contents = versions.get(sector) ?? [];
        versions.set(sector, contents);
        contents.push(undo.subarray(begin + done, begin + done + SECTOR_BYTES));
      }
    }
    return versions;
  }
}
