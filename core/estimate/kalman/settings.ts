/** What the filter assumes where a model does not say: standard deviations before anything was learned, and how errors last. */
export interface KalmanSettings {
  /** Of the state of charge it starts from. */
  readonly initial_soc_sd: number;
  /** Of the current sensor's offset, as a share of the current that fills the cell in an hour. */
  readonly offset_share: number;
  /** Of the ratio of the current sensor's gain to the capacity. */
  readonly scale_sd: number;
  /** Of the error of sampling a current that changes between samples, as a share of its usual step. */
  readonly sampling_share: number;
  /** Variance of the mean current between two samples, as a share of the square of its usual step. */
  readonly between_share: number;
  /** The slow error of the voltage lasts so long, and over so much of the state of charge. */
  readonly slow_s: number;
  readonly slow_soc: number;
  readonly slow_factor: number;
  /** Of the curve's place on the axis of state of charge. */
  readonly axis_sd: number;
  readonly fast_s: number;
  readonly fast_factor: number;
  /** Of the drop over the resistances, from sample to sample, as a share of it. */
  readonly drop_share: number;
  /** Of the resistance in series and of that of the branches, in terms of the model's own figure; for how long it lasts. */
  readonly series_factor: number;
  readonly branches_factor: number;
  readonly resistance_s: number;
  /** Variance of what a branch's current is off by, as a share of the square of the last step. */
  readonly branch_noise: number;
  /** Errors are bounded more than a normal distribution is: so much of the deviation makes 90 % cover 90 %, measured. */
  readonly stated_part: number;
  /** What ran before the first sample, in C and for each slower branch more. */
  readonly unknown_rate: number;
  /** Of the current that is still called zero, as the offset. */
  readonly idle_share: number;
}

export const KALMAN_SETTINGS: KalmanSettings = {
  initial_soc_sd: 0.15,
  offset_share: 0.016,
  scale_sd: 0.012,
  sampling_share: 0.01,
  between_share: 0.12,
  slow_s: 1800,
  slow_soc: 0.04,
  slow_factor: 1.4,
  axis_sd: 0.006,
  fast_s: 10,
  fast_factor: 3,
  drop_share: 0.05,
  series_factor: 1,
  branches_factor: 0.8,
  resistance_s: 3600,
  branch_noise: 0.3,
  stated_part: 0.85,
  unknown_rate: 0.03,
  idle_share: 1 / 200,
};
