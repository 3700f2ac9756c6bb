#!/bin/bash
# Boots systemd on an overlay over this machine, in namespaces of its own, with nothing but a journal, and has it run
# booted_check.sh. Root's network is the machine's, so that the simulated services are there.
#
#   booted.sh FOLDER PACKAGE
#
# FOLDER has mita.yaml, jenkins-token and openstack-password. The check's output comes to stdout.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
folder=$1 package=$2 root=$1/root

# systemd needs a branch of the tree of control groups for itself.
if [ "${3:-}" != inside ]; then
    tree=$(findmnt --noheadings --output TARGET --types cgroup2 | head -n 1)
    [ -n "$tree" ] || { echo "this machine has no cgroup2" >&2; exit 1; }
    group=$tree/mita-test-$$
    home=$tree$(sed -n 's/^0:://p' /proc/self/cgroup)
    mkdir "$group"
    echo $$ >"$group/cgroup.procs"
    timeout --kill-after=5 240 unshare --mount --pid --fork --uts --ipc --cgroup --kill-child --propagation private \
        "$0" "$folder" "$package" inside >"$folder/console" 2>&1 || true
    echo $$ >"$home/cgroup.procs"
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
    cat "$folder/out/text" || { tail -n 50 "$folder/console" >&2; exit 1; }
    exit
fi

mkdir -p "$folder/out" "$folder/layers" "$root"
mount -t tmpfs tmpfs "$folder/layers"
mkdir "$folder"/layers/{upper,work}
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/layers/upper,workdir=$folder/layers/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mkdir "$root/test"
mount --bind "$folder" "$root/test"
cp "$here/booted_check.sh" "$package" "$root/run/"

# Of this machine's own services none starts.
find "$root/etc/systemd/system" "$root/usr/lib/systemd/system" -name '*.wants' -exec rm -r {} +
printf '%s\n' '[Unit]' 'Wants=systemd-journald.service check.service' >"$root/etc/systemd/system/test.target"
cat >"$root/etc/systemd/system/check.service" <<END
[Service]
Type=oneshot
ExecStart=/bin/bash /run/booted_check.sh /test /run/${package##*/}
StandardOutput=append:/test/out/text
StandardError=append:/test/out/text
ExecStopPost=systemctl --force --force poweroff
END
# What a container's image has against packages that start something; the database of manual pages takes long to make.
rm -f "$root/usr/sbin/policy-rc.d" "$root/var/lib/man-db/auto-update"
# The log of the kernel is the machine's.
printf '%s\n' '[Journal]' 'ReadKMsg=no' 'Audit=no' >"$root/etc/systemd/journald.conf"
# In a mere chroot there are no user namespaces, which PrivateUsers= makes.
cd "$root"
pivot_root . .
umount --lazy .
# Credentials are mounted in a namespace below, from where they come here.
mount --make-rshared /
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --unit=test.target --log-target=console --show-status=no
