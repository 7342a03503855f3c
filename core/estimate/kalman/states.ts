/** The states of a cell in the filter, by their place. */
/** State of charge, 0 to 1. */
export const SOC = 0;
/** The current behind the first of three branches; the others follow. */
export const BRANCH = 1;
/** Of the current sensor, A. */
export const OFFSET = 4;
/** Gain of the sensor over capacity, less 1. */
export const SCALE = 5;
/** Slow error of the model's voltage. */
export const SLOW = 6;
/** Error of the resistance in series, as a share. */
export const SERIES = 7;
/** Error of the resistance of the branches, as a share. */
export const BRANCHES = 8;
/** Error of sampling, as a share of the usual step of the current. */
export const SAMPLING = 9;
/** How many. */
export const N = 10;
/** Values of half of the covariance. */
export const PACKED = (N * (N + 1)) / 2;
/** Of what the columns of `KalmanCells` and `HealthCells` mean: raise it with any change of them, and what is stored is discarded. */
export const STATE_VERSION = 1;
/** Which of the columns of `KalmanCells` hold these. */
export const STATE_COLUMN = 1;
