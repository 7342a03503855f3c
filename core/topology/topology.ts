/**
 * Site -> battery -> pack -> cell. Outside, things are named by stable ids a person chose;
 * inside, packs and batteries are dense indices into columns, valid for one run.
 */
import type { PackShape } from '../reading/pack-reading.ts';

export interface Topology {
  readonly site: { readonly id: string; readonly name: string };
  /** Names this gateway at the centre; leads every key there. */
  readonly gateway_id: string;
  readonly batteries: readonly BatteryNode[];
  /** In dense index order: `packs[i].pack === i`. */
  readonly packs: readonly PackNode[];
}

/** Cell chemistry of a battery, as far as thresholds and cell models depend on it. */
export const CHEMISTRIES = ['lfp', 'nmc', 'nca', 'lto', 'other'] as const;
export type Chemistry = (typeof CHEMISTRIES)[number];

export interface BatteryNode {
  readonly battery: number;
  readonly id: string;
  readonly name: string;
  readonly chemistry: Chemistry;
  /** Dense indices of its packs, in configuration order. */
  readonly packs: readonly number[];
}

export interface PackNode {
  readonly pack: number;
  readonly id: string;
  readonly name: string;
  readonly battery: number;
  readonly battery_id: string;
  readonly profile_id: string;
  readonly connection_id: string;
  /** Bus address or unit id; undefined where the device family has none. */
  readonly address: number | undefined;
  readonly shape: PackShape;
}

/** Id of one cell as people and the centre know it; cells count from 1: `rack-1-07/c03`. */
export function cellId(pack_id: string, cell_no: number): string {
  return `${pack_id}${CELL_MARK}${String(cell_no).padStart(CELL_DIGITS, '0')}`;
}

/** Between the pack's id and the cell's number, which has at least so many digits. */
export const CELL_MARK = '/c';
export const CELL_DIGITS = 2;
