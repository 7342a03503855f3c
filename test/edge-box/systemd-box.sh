#!/usr/bin/env bash
# The package on a box, under a real systemd: a Debian of its own in User-Mode Linux.
# For a person to run (three minutes; root; packages debootstrap user-mode-linux kmod e2fsprogs):
#   test/edge-box/systemd-box.sh [work directory]      (DEBIAN_RELEASE=trixie: Debian 13)
# Prints one line per check and leaves the box's journal in the work directory.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=${1:-$(mktemp -d)}
debian=$work/debian
mkdir -p "$work/share"
rm -f "$work"/share/*

if [ ! -d "$debian/usr/lib/modules" ]; then
  debootstrap --variant=minbase \
    --include=systemd,systemd-sysv,dbus,iproute2,kmod,libstdc++6,procps,can-utils,curl "${DEBIAN_RELEASE:-bookworm}" "$debian" >/dev/null
  mkdir -p "$debian/usr/lib/modules"
  cp -r /usr/lib/uml/modules/* "$debian/usr/lib/modules/"
  depmod -b "$debian" "$(ls /usr/lib/uml/modules)"
fi

# Out here, where there is a network for npm; the package's scripts run in the Debian.
(cd "$repository" && npm run --silent deb -- --out "$work/deb") >/dev/null
cp "$work"/deb/*.deb "$debian/root/bms-gateway.deb"
chroot "$debian" apt-get install -qq -y --no-install-recommends /root/bms-gateway.deb >/dev/null
sed 's/interface: can0/interface: vcan0/' "$repository/docs/examples/can-jk.yaml" >"$debian/etc/bms-gateway/config.yaml"

cat >"$debian/usr/local/bin/check-gateway" <<'INSIDE'
#!/bin/bash
mount -t hostfs -o "$1" none /mnt
exec >/mnt/checks 2>&1
check() { # check WHAT COMMAND...: repeats the command for up to 60 s.
  local what=$1 end=$((SECONDS + 60))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { echo "FAILED  $what"; return; }
    sleep 0.5
  done
  echo "passed  $what"
}
unit() { systemctl show bms-gateway --property="$1" --value; }
is() { [ "$(unit "$1")" = "$2" ]; }
says_serving() { unit StatusText | grep -q serving; }
beats_again() { [ "$(unit WatchdogTimestampMonotonic)" -gt "$first_beat" ]; }
set_up() {
  curl -fsS -H 'content-type: application/json' http://127.0.0.1:8080/api/auth/setup \
    -d "{\"code\":\"$(bms-gateway setup-code | head -1)\",\"username\":\"admin\",\"password\":\"set up by its code\"}"
}
login() {
  curl -fsS -H 'content-type: application/json' http://127.0.0.1:8080/api/auth/login \
    -d '{"username":"admin","password":"set up by its code"}'
}
receives() {
  cansend vcan0 2F4#1301D71133006400
  curl -fsS -H "authorization: Bearer $token" http://127.0.0.1:8080/api/system/status | grep -q '"frames":[1-9]'
}

modprobe -a can-raw vcan
ip link add dev vcan0 type vcan && ip link set vcan0 up
systemctl start bms-gateway
check 'started, by its own word' is ActiveState active
check 'says what it serves' says_serving
check 'runs as its own user' is User bms-gateway
check 'the set-up code makes the administrator' set_up
check 'the administrator can log in' login
token=$(login | sed 's/.*"token":"\([^"]*\)".*/\1/')
first_beat=$(unit WatchdogTimestampMonotonic)
check 'beats for the watchdog' beats_again
check 'receives frames without any privilege' receives
kill -STOP "$(unit MainPID)"
check 'is restarted when it hangs' is NRestarts 1
check 'is up again' is ActiveState active
echo 'nonsense: true' >>/etc/bms-gateway/config.yaml
systemctl restart bms-gateway
check 'a wrong configuration is not retried' is SubState failed
journalctl --no-pager --output=short-monotonic --unit=bms-gateway >/mnt/journal
INSIDE
chmod 755 "$debian/usr/local/bin/check-gateway"
# Half a minute is the real unit's; here nobody wants to wait for it.
mkdir -p "$debian/etc/systemd/system/bms-gateway.service.d"
printf '[Service]\nWatchdogSec=10\nTimeoutAbortSec=5\n' >"$debian/etc/systemd/system/bms-gateway.service.d/sooner.conf"
cat >"$debian/etc/systemd/system/check-gateway.service" <<UNIT
[Service]
Type=oneshot
ExecStart=/usr/local/bin/check-gateway $work/share
ExecStopPost=systemctl poweroff --no-block
TimeoutStartSec=600
UNIT
ln -sf /etc/systemd/system/check-gateway.service "$debian/etc/systemd/system/multi-user.target.wants/"

rm -f "$work/root.img"
truncate -s 3G "$work/root.img"
mkfs.ext4 -q -d "$debian" "$work/root.img"
timeout --signal=KILL 600 linux.uml mem=1024M ubd0="$work/root.img" root=/dev/ubda rw \
  con=null con0=fd:0,fd:1 quiet </dev/null >"$work/console" 2>&1 || true
cat "$work/share/checks"
cp "$work/share/journal" "$work/journal"
echo "journal: $work/journal"
! grep -q FAILED "$work/share/checks"
