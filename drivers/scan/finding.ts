/** What a scan finds: one profile that may fit, at one address, how surely and why. */
export interface Finding {
  readonly profile: string;
  readonly title: string;
  /** Bus address or unit id; undefined where the device family has none. */
  readonly address: number | undefined;
  /** 0 to 100. */
  readonly confidence_pct: number;
  /** Cells in series as the values show them; 0: it reports no single cell. */
  readonly cells: number;
  /** Fitted temperature sensors as the values show them. */
  readonly sensors: number;
  /** Other than by default. */
  readonly options?: Readonly<Record<string, string | number | boolean>>;
  readonly cell_voltage_max_v: number | undefined;
  /** For a person to read. */
  readonly why: readonly string[];
  readonly contradictions: readonly string[];
}

/** From here on a finding goes into the configuration that is printed. */
export const SURE_PCT = 50;

/** Best first. */
export function byConfidence(a: Finding, b: Finding): number {
  return (
    b.confidence_pct - a.confidence_pct ||
    a.profile.localeCompare(b.profile) ||
    (a.address ?? 0) - (b.address ?? 0)
  );
}
