/** Room on the disk that nothing of ours takes, unless it is configured otherwise. */
export const KEEP_FREE_BYTES = 64 << 20;
