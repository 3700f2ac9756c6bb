#!/bin/bash
# User data of a server that joins Jenkins as an inbound agent (register: inbound), on Debian and Ubuntu.
# mita fills in what stands in double braces; see README.md beside this file.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends openjdk-21-jre-headless curl ca-certificates git ||
    apt-get install -y --no-install-recommends default-jre-headless curl ca-certificates git

# The agent's user, and its directory: agent.remote_dir of the template.
id jenkins >/dev/null 2>&1 || useradd --create-home --home-dir /home/jenkins --shell /bin/bash jenkins

# The secret stands in a file that the agent alone can read, not in a list of processes.
install -d -o root -g jenkins -m 750 /etc/jenkins-agent
(umask 027 && cat > /etc/jenkins-agent/secret) <<'SECRET'
{{ mita.agent_secret }}
SECRET
chgrp jenkins /etc/jenkins-agent/secret

# Always the agent.jar of this controller: another one may not talk to it.
cat > /usr/local/bin/jenkins-agent <<'AGENT'
#!/bin/bash
set -euo pipefail
curl -fsSL --retry 10 --retry-delay 5 -o /home/jenkins/agent.jar "{{ mita.agent_jar_url }}"
exec java -jar /home/jenkins/agent.jar -webSocket -url "{{ mita.jenkins_url }}/" \
    -secret @/etc/jenkins-agent/secret -name "{{ mita.name }}" -workDir /home/jenkins
AGENT
chmod 755 /usr/local/bin/jenkins-agent

cat > /etc/systemd/system/jenkins-agent.service <<'UNIT'
[Unit]
Description=Jenkins agent
Wants=network-online.target
After=network-online.target
# It is tried for as long as the server stands: mita takes the server away if it never joins.
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
