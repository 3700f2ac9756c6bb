#!/bin/bash
# User data of a server that joins Jenkins as an inbound agent (register: inbound), on Debian, Ubuntu, RHEL, Rocky, Alma,
# CentOS Stream and Fedora. mita fills in what is in double braces; examples/user-data/README.md in its
# source says more.
#
# Runs as root, once, at the first boot. It leaves a service that installs what is missing and starts the agent, and that
# goes on trying at each boot and after each failure: a mirror or a Jenkins that is slow to answer costs time, not the
# server. mita removes a server that never joins.
set -euo pipefail

# The agent's user, and its directory: agent.remote_dir of the template.
id jenkins >/dev/null 2>&1 || useradd --create-home --home-dir /home/jenkins --shell /bin/bash jenkins

# The secret is in a file that the agent alone can read, not in a list of processes.
install -d -o root -g jenkins -m 750 /etc/jenkins-agent
(umask 027 && cat >/etc/jenkins-agent/secret) <<'SECRET'
{{ mita.agent_secret }}
SECRET
chgrp jenkins /etc/jenkins-agent/secret

cat >/usr/local/sbin/jenkins-agent-setup <<'SETUP'
#!/bin/bash
# Installs what the agent and its builds need and this image lacks.
set -euo pipefail

# Commands with the packages that have them. Add what your builds need.
declare -A needed=([git]=git [curl]=curl)

if command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    # The timers of a fresh image may hold the lock for a while.
    update() { apt-get -o DPkg::Lock::Timeout=300 update; }
    install() { apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"; }
    has() { apt-cache show "$1" >/dev/null 2>&1; }
    javas=(openjdk-21-jre-headless default-jre-headless)
else
    update() { :; }
    install() { dnf install -y "$@"; }
    has() { dnf -q info "$1" >/dev/null 2>&1; }
    javas=(java-21-openjdk-headless java-latest-openjdk-headless java-17-openjdk-headless)
fi

# Whether there is a Java of at least this version.
has_java() {
    local version
    version=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
    [ "${version:-0}" -ge "$1" ]
}

missing=()
for command in "${!needed[@]}"; do
    command -v "$command" >/dev/null || missing+=("${needed[$command]}")
done
# An agent needs Java 17 at least, that of a newer Jenkins 21.
if [ ${#missing[@]} -gt 0 ] || ! has_java 17; then
    update
fi
if [ ${#missing[@]} -gt 0 ]; then
    install ca-certificates "${missing[@]}"
fi
if ! has_java 17; then
    for java in "${javas[@]}"; do
        if has "$java"; then
            install "$java"
            break
        fi
    done
fi
if ! has_java 17; then
    echo "no Java of version 17 or newer among: ${javas[*]}" >&2
    exit 1
fi
SETUP

# Always the agent.jar of this controller, since another one may not talk to it. The one of the last start serves while
# it cannot be fetched.
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
chmod 755 /usr/local/sbin/jenkins-agent-setup /usr/local/bin/jenkins-agent
if command -v restorecon >/dev/null; then
    restorecon -R /usr/local/sbin/jenkins-agent-setup /usr/local/bin/jenkins-agent /etc/jenkins-agent /home/jenkins
fi

cat >/etc/systemd/system/jenkins-agent.service <<'UNIT'
[Unit]
Description=Jenkins agent
Wants=network-online.target
After=network-online.target
# No limit to the attempts.
StartLimitIntervalSec=0

[Service]
User=jenkins
WorkingDirectory=/home/jenkins
# As root.
ExecStartPre=+/usr/local/sbin/jenkins-agent-setup
ExecStart=/usr/local/bin/jenkins-agent
TimeoutStartSec=15min
Restart=always
RestartSec=10

[Install]
WantedBy=multi-user.target
UNIT

systemctl daemon-reload
systemctl enable jenkins-agent.service
systemctl start --no-block jenkins-agent.service
