#!/bin/bash
# What systemd makes of the package: run by booted.sh, inside.
set -euo pipefail
folder=$1 package=$2

fail() {
    echo "FAILED: $*"
    systemctl status mita.service mita.timer 'mita-failed@*' --no-pager --full || true
    journalctl --no-pager --output=short-monotonic --lines=40 --unit='mita*' || true
    exit 1
}

shown() {
    systemctl show --property="$2" --value "$1"
}

# Waits, ten seconds at most, until a command is true.
becomes() {
    local end=$((SECONDS + 10))
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "not within ten seconds: $*"
        sleep 0.1
    done
}

mails() {
    [ "$(grep -c . /var/lib/mita/mails 2>/dev/null)" = "$1" ]
}

failed_unit_is_done() {
    [[ $(systemctl is-active mita-failed@mita.service.service) =~ ^(inactive|failed)$ ]]
}

# At a usual boot this is done early: members of a group may read the journal.
systemd-tmpfiles --create --prefix=/run/log/journal

DEBIAN_FRONTEND=noninteractive dpkg --install --force-depends "$package" || fail "cannot be installed"
[ "$(systemctl is-enabled mita.timer)" = disabled ] || fail "the timer is enabled"
[ "$(systemctl is-active mita.timer)" = inactive ] || fail "the timer runs"

echo "== no configuration: nothing happens"
systemctl start mita.service || fail "without mita.yaml"
[ "$(shown mita.service ConditionResult)" = no ] || fail "it was started"

echo "== a pass"
cp "$folder/mita.yaml" "$folder/jenkins-token" "$folder/openstack-password" /etc/mita/
chmod 600 /etc/mita/jenkins-token /etc/mita/openstack-password
systemctl start mita.service || fail "a pass"
[ "$(shown mita.service Result)" = success ] || fail "the result"
[ "$(stat --format='%U %a' /var/lib/mita/state.json)" = "mita 600" ] || fail "the state"
said=$(journalctl --quiet --output=cat --unit=mita.service)
[ -z "$said" ] || fail "a good pass is silent: $said"

echo "== the timer"
systemctl enable --now mita.timer || fail "the timer"
left=$(($(date --date="$(shown mita.timer NextElapseUSecRealtime)" +%s) - $(date +%s)))
[ "$left" -le 15 ] || fail "the next pass is in $left s"
systemctl stop mita.timer

echo "== a failure"
printf '#!/bin/sh\n{ echo "$*"; cat; } | tr "\\n" " " >>/var/lib/mita/mails\necho >>/var/lib/mita/mails\n' >/usr/bin/mail
chmod 755 /usr/bin/mail
echo "nonsense: 1" >>/etc/mita/mita.yaml
systemctl start mita.service 2>/dev/null && fail "a broken configuration"
[ "$(shown mita.service ExecMainStatus)" = 3 ] || fail "the exit code"
journalctl --quiet --output=cat --unit=mita.service --priority=warning | grep -q 'mita.yaml:.*nonsense' ||
    fail "the journal has no message"
becomes mails 1
grep -q 'mita.service failed on .*root.*nonsense' /var/lib/mita/mails || fail "the mail: $(cat /var/lib/mita/mails)"
becomes failed_unit_is_done
systemctl start mita.service 2>/dev/null && fail "a broken configuration"
becomes failed_unit_is_done
mails 1 || fail "more than one mail in an hour"

echo "== gone"
systemctl start mita.timer
dpkg --purge mita || fail "purge"
[ "$(systemctl is-active mita.timer)" = inactive ] || fail "the timer goes on"
echo "== done"
