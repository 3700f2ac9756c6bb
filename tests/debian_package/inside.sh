#!/bin/bash
# The life of the package on a machine: installed, used, upgraded, removed, purged. Runs as root in mount and process
# namespaces of its own; all that it changes is in an overlay below the folder of its first argument, and gone at its end.
#
#   inside.sh FOLDER PACKAGE NEWER_PACKAGE
#
# FOLDER has mita.yaml, jenkins-token and openstack-password.
set -euo pipefail
folder=$1 package=$2 newer=$3
root=$folder/root

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

mount -t tmpfs tmpfs "$folder/layers"
mkdir -p "$folder"/layers/{upper,work} "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/layers/upper,workdir=$folder/layers/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
# The database of manual pages is not asked for, and takes long to make.
rm -f "$root/var/lib/man-db/auto-update"
mkdir -p "$root/packages"
cp "$package" "$newer" "$root/packages/"

in_root() {
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"
}

# What must be true of files on the machine, as `test` says it.
holds() {
    in_root test "$@" || fail "test $*"
}

install_package() {
    in_root dpkg --install --force-depends "/packages/${1##*/}" || fail "cannot be installed"
    in_root dpkg --audit mita | grep . && fail "dpkg finds something wrong"
    return 0
}

# What ExecStart= has, as its user, with the files that LoadCredential= would give it. Arguments are a command to run it by.
pass() {
    local command
    command=$(sed -n 's/^ExecStart=//p' "$root/usr/lib/systemd/system/mita.service")
    # shellcheck disable=SC2086  # words, as systemd splits them
    in_root "$@" runuser --user mita -- $command
}

echo "== install"
install_package "$package"
in_root getent passwd mita | grep -q ':/var/lib/mita:.*nologin$' || fail "no user mita"
[ "$(in_root stat --format='%U:%G %a' /etc/mita)" = "root:mita 750" ] || fail "/etc/mita"
[ "$(in_root stat --format='%U:%G %a' /var/lib/mita)" = "mita:mita 700" ] || fail "/var/lib/mita"
holds -x /usr/bin/mita
in_root mita --version | grep -q '^mita 0\.1\.0' || fail "the version"
in_root man --where mita-run | grep -q man1/mita-run || fail "no manual page"
holds -f /usr/share/bash-completion/completions/mita
holds ! -e /etc/systemd/system/timers.target.wants/mita.timer
holds ! -e /etc/mita/mita.yaml
in_root systemd-analyze verify mita.service mita.timer mita-failed@mita.service || fail "the units"

echo "== the example configuration"
cp mita.yaml.example "$root/etc/mita/mita.yaml"
code=0
# Its hosts are nobody's; nothing is asked for them.
said=$(pass unshare --net 2>&1) || code=$?
[ $code = 4 ] || fail "exit $code: $said"
grep -q 'Jenkins cannot be read: nothing is made or removed' <<<"$said" || fail "it is not said: $said"
printf '%s\n' "$said"

echo "== a configuration"
cp "$folder/mita.yaml" "$root/etc/mita/mita.yaml"
cp "$folder/jenkins-token" "$folder/openstack-password" "$root/etc/mita/"
in_root mkdir -p /run/credentials/mita.service
cp "$folder/jenkins-token" "$folder/openstack-password" "$root/run/credentials/mita.service/"
in_root chown -R mita /run/credentials/mita.service
in_root chmod 400 /run/credentials/mita.service/jenkins-token /run/credentials/mita.service/openstack-password
in_root systemctl --quiet enable mita.timer
said=$(pass 2>&1) || fail "a pass: $said"
[ -z "$said" ] || fail "a good pass is silent: $said"
holds -s /var/lib/mita/state.json
echo "# by hand" >>"$root/etc/logrotate.d/mita"
state=$(in_root sha256sum /var/lib/mita/state.json)

echo "== upgrade"
install_package "$newer"
[ "$(in_root dpkg-query --show mita | cut -f 2)" != "$(dpkg-deb --field "$package" Version)" ] ||
    fail "not upgraded"
[ "$(in_root sha256sum /var/lib/mita/state.json)" = "$state" ] || fail "the state changed"
cmp "$folder/mita.yaml" "$root/etc/mita/mita.yaml" || fail "mita.yaml changed"
tail -n 1 "$root/etc/logrotate.d/mita" | grep -qx "# by hand" || fail "a file of the administrator's was replaced"
holds -L /etc/systemd/system/timers.target.wants/mita.timer
said=$(pass 2>&1) || fail "a pass after the upgrade: $said"

echo "== remove"
in_root dpkg --remove mita
holds ! -e /usr/bin/mita
holds ! -e /usr/lib/systemd/system/mita.service
holds -s /var/lib/mita/state.json
holds -f /etc/mita/mita.yaml
holds -f /etc/logrotate.d/mita

echo "== purge"
in_root dpkg --purge mita
holds ! -e /var/lib/mita
holds ! -e /etc/logrotate.d/mita
holds ! -L /etc/systemd/system/timers.target.wants/mita.timer
holds ! -L /etc/systemd/system/mita.timer
# A person's own.
holds -f /etc/mita/mita.yaml
holds -f /etc/mita/jenkins-token
[ -z "$(in_root dpkg-query --show mita 2>/dev/null)" ] || fail "dpkg remembers the package"

echo "== install and purge, with nothing of a person's in it"
in_root rm -r /etc/mita
install_package "$package"
in_root dpkg --purge mita
holds ! -e /etc/mita
echo "== done"
