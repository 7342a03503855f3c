/** Linear least squares with priors, by normal equations and Cholesky: rows are sparse, unknowns are a few hundred. */

export class LeastSquares {
  readonly size: number;
  readonly #normal: Float64Array;
  readonly #right: Float64Array;

  constructor(size: number) {
    this.size = size;
    this.#normal = new Float64Array(size * size);
    this.#right = new Float64Array(size);
  }

  /** One equation: the sum of `factors[i] * x[indices[i]]` is `value`, as sure as `weight` says (1 / variance). */
  add(
    indices: ArrayLike<number>,
    factors: ArrayLike<number>,
    count: number,
    value: number,
    weight: number,
  ): void {
    const { size } = this;
    for (let i = 0; i < count; i++) {
      const scaled = factors[i] * weight;
      if (scaled === 0) continue;
      const row = indices[i] * size;
      this.#right[indices[i]] += scaled * value;
      for (let j = 0; j < count; j++) this.#normal[row + indices[j]] += scaled * factors[j];
    }
  }

  solve(): Float64Array {
    const { size } = this;
    const lower = Float64Array.from(this.#normal);
    for (let i = 0; i < size; i++) lower[i * size + i] += 1e-12 + 1e-12 * lower[i * size + i];
    for (let j = 0; j < size; j++) {
      let diagonal = lower[j * size + j];
      for (let k = 0; k < j; k++) diagonal -= lower[j * size + k] ** 2;
      const root = Math.sqrt(Math.max(diagonal, 1e-18));
      lower[j * size + j] = root;
      for (let i = j + 1; i < size; i++) {
        let sum = lower[i * size + j];
        const a = i * size;
        const b = j * size;
        for (let k = 0; k < j; k++) sum -= lower[a + k] * lower[b + k];
        lower[a + j] = sum / root;
      }
    }
    const x = Float64Array.from(this.#right);
    for (let i = 0; i < size; i++) {
      for (let k = 0; k < i; k++) x[i] -= lower[i * size + k] * x[k];
      x[i] /= lower[i * size + i];
    }
    for (let i = size - 1; i >= 0; i--) {
      for (let k = i + 1; k < size; k++) x[i] -= lower[k * size + i] * x[k];
      x[i] /= lower[i * size + i];
    }
    return x;
  }
}
