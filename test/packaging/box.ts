/**
 * A throw-away Debian for a package: this machine's own files, read-only, under an overlay that is gone with the box, in
 * User-Mode Linux under its own systemd. One script runs in it.
 */
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MODULES, startKernel } from '../edge-box/uml.ts';

export interface SystemdBoxRun {
  readonly script: string;
  readonly args: readonly string[];
  /** A directory of this machine, writable inside as SHARE. */
  readonly share: string;
  readonly timeout_ms: number;
}

/** What kernel and systemd wrote. */
export async function runUnderSystemd({ script, args, share, timeout_ms }: SystemdBoxRun): Promise<string> {
  const init = join(share, 'init.sh');
  copyFileSync(script, join(share, 'script.sh'));
  writeFileSync(init, initScript(share, args), { mode: 0o755 });
  const kernel = await startKernel({
    init,
    home: share,
    memory_mb: 1024,
  });
  const end = new AbortController();
  try {
    await Promise.race([kernel.ended, sleep(timeout_ms, undefined, { signal: end.signal })]);
  } finally {
    end.abort();
    await kernel.cut();
  }
  return kernel.console();
}

/** The lines NAME=VALUE that the script left. */
export function seenIn(share: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readFileSync(join(share, 'seen'), 'utf8')
      .split(/\n(?=[a-z_]+=)/)
      .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).trim()]),
  );
}

function initScript(share: string, args: readonly string[]): string {
  const version = readdirSync(MODULES)[0];
  return `#!/bin/bash
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t tmpfs -o size=700m tmpfs /run
insmod '${MODULES}/${version}/kernel/fs/overlayfs/overlay.ko'
mkdir /run/upper /run/work /run/root
mount -t overlay overlay -o lowerdir=/,upperdir=/run/upper,workdir=/run/work /run/root
cd /run/root
mkdir -p old mnt
mount -t hostfs -o '${share}' none mnt
mount -t proc proc proc
mount -t sysfs sys sys
ip link set lo up
# systemd would take the box for a container.
rm -rf var/lib/bms-gateway etc/bms-gateway .dockerenv usr/sbin/policy-rc.d
# What else boots on a real box takes seconds here and is nothing to the package.
rm -rf {usr/lib,etc}/systemd/system/{sysinit,basic,local-fs,timers,sockets}.target.wants
ln -sf packaging.target etc/systemd/system/default.target
cat > etc/systemd/system/packaging.target <<'UNIT'
[Unit]
Wants=packaging.service
UNIT
cat > etc/systemd/system/packaging.service <<'UNIT'
[Unit]
DefaultDependencies=no
After=sysinit.target systemd-journald.socket
Wants=sysinit.target systemd-journald.socket
[Service]
Type=oneshot
Environment=SHARE=/mnt HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin
ExecStart=/bin/bash /mnt/script.sh ${args.join(' ')}
ExecStopPost=/bin/sh -c 'journalctl --no-pager -u bms-gateway > /mnt/journal; sync; echo o > /proc/sysrq-trigger'
TimeoutStartSec=600
UNIT
pivot_root . old
exec chroot . /lib/systemd/systemd
`;
}
