/** For process-lock.test.ts: takes the lock on the file it is given, says so, and holds it until it is killed. */
import { ProcessLock } from '../file/process-lock.ts';

ProcessLock.take(process.argv[2], 'it', 'wait');
process.stdout.write('locked\n');
setInterval(() => {}, 1000);
