#!/bin/bash
# User data of a server that joins Jenkins as an inbound agent (register: inbound), on Debian, Ubuntu, RHEL, Rocky, Alma,
# CentOS Stream and Fedora. mita fills in what is in double braces; README.md beside this file says more.
#
# Runs as root, once, at the first boot. What it leaves is a service of systemd that starts the agent at each boot.
set -euo pipefail

# Add what your builds need.
packages=(git)

# A mirror that does not answer yet is asked again: a fresh network may need a while.
try() {
    local turn
    for turn in 1 2 3 4 5 6 7 8 9 10; do
        "$@" && return
        echo "attempt $turn failed: $*" >&2
        sleep $((turn * 3))
    done
    return 1
}

install_packages() {
    if command -v apt-get >/dev/null; then
        export DEBIAN_FRONTEND=noninteractive
        # The timers of a fresh image may hold the lock of apt.
        try apt-get -o DPkg::Lock::Timeout=120 update
        try apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "$@"
    else
        try dnf install -y "$@"
    fi
}

# Whether there is a Java of at least this version.
has_java() {
    local version
    version=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
    [ "${version:-0}" -ge "$1" ]
}

# It has another name in each distribution and release.
install_java() {
    local names=(java-21-openjdk-headless java-latest-openjdk-headless java-17-openjdk-headless) name
    if command -v apt-get >/dev/null; then
        names=(openjdk-21-jre-headless default-jre-headless)
    fi
    for name in "${names[@]}"; do
        if has_package "$name" && install_packages "$name"; then
            return
        fi
    done
    echo "no Java for Jenkins found: ${names[*]}" >&2
    return 1
}

has_package() {
    if command -v apt-get >/dev/null; then
        apt-cache show "$1" >/dev/null 2>&1
    else
        dnf -q info "$1" >/dev/null 2>&1
    fi
}

command -v curl >/dev/null || packages+=(curl ca-certificates)
install_packages "${packages[@]}"
# An agent needs Java 17, that of a newer Jenkins 21: the newer one serves both.
has_java 21 || install_java || has_java 17

# The agent's user, and its directory: agent.remote_dir of the template.
id jenkins >/dev/null 2>&1 || useradd --create-home --home-dir /home/jenkins --shell /bin/bash jenkins

# The secret is in a file that the agent alone can read, not in a list of processes.
install -d -o root -g jenkins -m 750 /etc/jenkins-agent
(umask 027 && cat >/etc/jenkins-agent/secret) <<'SECRET'
{{ mita.agent_secret }}
SECRET
chgrp jenkins /etc/jenkins-agent/secret

# Always the agent.jar of this controller, since another one may not talk to it. One that came before serves while
# Jenkins is down.
cat >/usr/local/bin/jenkins-agent <<'AGENT'
#!/bin/bash
set -euo pipefail
cd /home/jenkins
if curl -fsSL --connect-timeout 10 --max-time 300 -o agent.jar.new "{{ mita.agent_jar_url }}"; then
    mv agent.jar.new agent.jar
fi
exec java -jar agent.jar -webSocket -url "{{ mita.jenkins_url }}/" -name "{{ mita.name }}" \
    -secret @/etc/jenkins-agent/secret -workDir /home/jenkins
AGENT
chmod 755 /usr/local/bin/jenkins-agent
if command -v restorecon >/dev/null; then
    restorecon -R /usr/local/bin/jenkins-agent /etc/jenkins-agent /home/jenkins
fi

cat >/etc/systemd/system/jenkins-agent.service <<'UNIT'
[Unit]
Description=Jenkins agent
Wants=network-online.target
After=network-online.target
# It is tried for as long as the server is there: mita removes one that never joins.
StartLimitIntervalSec=0

[Service]
User=jenkins
WorkingDirectory=/home/jenkins
ExecStart=/usr/local/bin/jenkins-agent
Restart=always
RestartSec=10

[Install]
WantedBy=multi-user.target
UNIT

systemctl daemon-reload
systemctl enable --now jenkins-agent.service
