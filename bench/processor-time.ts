/** What a process has used of the processors, as Linux counts it. */
import { readFileSync } from 'node:fs';

const TICKS_PER_S = 100;

/** Of all threads, in user and system mode. */
export function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}
