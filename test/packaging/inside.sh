#!/bin/bash
# Inside the box, under its systemd: installs the package, upgrades, removes, purges, and writes down what it saw.
# SHARE has the package; judged outside. With the word `whole` all of that, otherwise it ends when the gateway serves.
exec >"$SHARE/log" 2>&1
# A list of packages of its own: that of the machine outside is long, and reading it is slow here.
export DPKG_ADMINDIR=/var/lib/dpkg-of-the-test
mkdir -p "$DPKG_ADMINDIR/info" "$DPKG_ADMINDIR/updates"
touch "$DPKG_ADMINDIR/status"

seen() { echo "$1=${*:2}" >>"$SHARE/seen"; }
unit() { systemctl show bms-gateway --property="$1" --value; }
state() { echo "$(systemctl is-active bms-gateway) $(systemctl is-enabled bms-gateway)"; }
quick_dpkg() { dpkg --force-depends,unsafe-io "$@"; }
# As dpkg calls it once the files of another version are there.
upgrade() { DPKG_MAINTSCRIPT_NAME=postinst DPKG_MAINTSCRIPT_PACKAGE=bms-gateway "$DPKG_ADMINDIR/info/bms-gateway.postinst" configure 0.0.1; }

quick_dpkg --install "$SHARE/bms-gateway.deb" >"$SHARE/installed" 2>&1
seen installed_code $?
seen installed "$(state)"
seen status "$(unit StatusText)"
seen user "$(unit User)"
seen rights "$(stat -c '%a %U %G' /etc/bms-gateway /etc/bms-gateway/config.yaml /var/lib/bms-gateway | tr '\n' ',')"
seen receive_buffer "$(cat /proc/sys/net/core/rmem_default)"
seen page "$(exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET / HTTP/1.0\r\n\r\n' >&3 && head -1 <&3)"
[ "$1" = whole ] || exit 0

# From here on it is about the states of the service, and a process that starts at once will do.
systemctl stop bms-gateway
mkdir -p /run/systemd/system/bms-gateway.service.d
printf '[Service]\nType=exec\nWatchdogSec=0\nExecStart=\nExecStart=/bin/sleep infinity\n' \
  >/run/systemd/system/bms-gateway.service.d/quick.conf
systemctl daemon-reload
upgrade
seen upgraded_stopped "$(state)"
systemctl disable bms-gateway
upgrade
seen upgraded_disabled "$(state)"
systemctl enable --now bms-gateway
before=$(unit MainPID)
upgrade
seen upgraded "$(state)" "$([ "$(unit MainPID)" != "$before" ] && echo restarted)"

touch /var/lib/bms-gateway/kept
echo '# mine' >>/etc/bms-gateway/config.yaml
quick_dpkg --remove bms-gateway
seen removed_code $?
seen removed "$(systemctl is-active bms-gateway)" "$(tail -1 /etc/bms-gateway/config.yaml)" \
  "$(ls -d /var/lib/bms-gateway/kept /usr/lib/bms-gateway)"
quick_dpkg --install "$SHARE/bms-gateway.deb"
seen installed_again "$(state)" "$(tail -1 /etc/bms-gateway/config.yaml)"
quick_dpkg --purge bms-gateway
seen purged_code $?
seen purged "$(ls -d /etc/bms-gateway /var/lib/bms-gateway /usr/lib/bms-gateway /usr/share/doc/bms-gateway \
  /etc/systemd/system/*/bms-gateway* /etc/systemd/system/bms-gateway* /var/lib/systemd/deb-systemd-helper-*/*bms-gateway* 2>/dev/null)"
