/** What the estimates of a pack rest on, as it is configured. */
import type { CellModel } from '../../core/estimate/model/cell-model.ts';

export interface EstimatePlan {
  /** Undefined: there are none. */
  readonly model: CellModel | undefined;
  /** Of these very cells; else one of their chemistry, of whatever make. */
  readonly is_own: boolean;
  /** Of a cell when new; undefined: what the device reports. */
  readonly nominal_ah: number | undefined;
  readonly nominal_from: 'configuration' | 'model' | 'device';
  /** Why there are none. */
  readonly reason: string | undefined;
}

export function noEstimates(reason: string): EstimatePlan {
  return { model: undefined, is_own: false, nominal_ah: undefined, nominal_from: 'device', reason };
}
