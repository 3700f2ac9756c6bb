# Debian's packages. Of the services only the python3-* halves are installed: no debconf questions, no dbconfig, no
# system users, no units that start by themselves. The paste files lie in the -common packages, which are unpacked
# beside the system and not installed.
# shellcheck shell=bash

wanted_packages() {
    echo mariadb-server rabbitmq-server memcached uwsgi-core uwsgi-plugin-python3 curl procps \
        python3-keystone python3-placement python3-glance python3-neutron python3-nova python3-openstackclient
    [ "$CINDER" = 0 ] || echo python3-cinder
}

unpacked_packages() {
    echo nova-common glance-common neutron-common
    [ "$CINDER" = 0 ] || echo cinder-common
}

missing_packages() {
    local package
    for package in $(wanted_packages); do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
    done
}

install_packages() {
    local missing
    command -v apt-get >/dev/null || die "no apt-get here: this needs Debian 12"
    mapfile -t missing < <(missing_packages)
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || die "not root, and these packages are missing (sudo $0 --packages): ${missing[*]}"
    say "apt-get update"
    apt_get update || die "apt-get update failed"
    install_missing "${missing[@]}"
}

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -y -q -o Acquire::Retries=3 -o Dpkg::Options::=--force-confdef \
        -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=120 "$@" >>"$LOG/apt.log" 2>&1 </dev/null 9>&- ||
        {
            tail -n 20 "$LOG/apt.log" >&2
            return 1
        }
}

install_missing() {
    local policy=/usr/sbin/policy-rc.d made=0 result=0
    say "installing $*"
    # 101 tells dpkg to start nothing: we start our own processes on our own ports.
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod 755 $policy
        made=1
    fi
    apt_get install --no-install-recommends "$@" || result=1
    [ $made = 0 ] || rm -f $policy
    [ $result = 0 ] || die "apt-get install failed"
}

unpack_packages() {
    local package unpack=()
    for package in $(unpacked_packages); do [ -d "$DEB/$package" ] || unpack+=("$package"); done
    [ ${#unpack[@]} -gt 0 ] || return 0
    mkdir -p "$DEB"
    (
        cd "$DEB" || exit 1
        # Without package lists (a fresh container) root can have them; anybody else has had them since --packages.
        apt_get -o APT::Sandbox::User=root download "${unpack[@]}" 2>/dev/null ||
            { [ "$(id -u)" = 0 ] && apt_get update && apt_get -o APT::Sandbox::User=root download "${unpack[@]}"; } ||
            exit 1
        for package in "${unpack[@]}"; do
            rm -rf "$package.tmp"
            dpkg -x "$package"_*.deb "$package.tmp" && mv "$package.tmp" "$package" || exit 1
        done
        rm -f ./*.deb
    ) || die "cannot unpack ${unpack[*]}, see $LOG/apt.log"
}
