#!/bin/bash
# User data of a server to which Jenkins connects by SSH (register: ssh), as a script, for images whose cloud-init does
# not install host keys. See README.md beside this file.
set -euo pipefail

# mita makes a host key for each server and tells Jenkins its public half, so that the first connection is verified.
# The other host keys go, so that the one that Jenkins knows is the one that the server shows.
rm -f /etc/ssh/ssh_host_*
(umask 077 && base64 -d > /etc/ssh/ssh_host_ed25519_key) <<'KEY'
{{ mita.ssh_host_key_base64 }}
KEY
cat > /etc/ssh/ssh_host_ed25519_key.pub <<'KEY'
{{ mita.ssh_host_public_key }}
KEY
systemctl restart ssh 2>/dev/null || systemctl restart sshd

# The public half of the key that stands in Jenkins' credentials (agent.credentials_id).
id jenkins >/dev/null 2>&1 || useradd --create-home --home-dir /home/jenkins --shell /bin/bash jenkins
install -d -o jenkins -g jenkins -m 700 /home/jenkins/.ssh
cat > /home/jenkins/.ssh/authorized_keys <<'KEY'
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFakeFakeFakeFakeFakeFakeFakeFakeFakeFakeFake jenkins-controller
KEY
chown jenkins:jenkins /home/jenkins/.ssh/authorized_keys
chmod 600 /home/jenkins/.ssh/authorized_keys

# Jenkins tries again until Java is there.
if command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update
    apt-get install -y --no-install-recommends openjdk-21-jre-headless git ||
        apt-get install -y --no-install-recommends default-jre-headless git
else
    dnf install -y java-21-openjdk-headless git || dnf install -y java-latest-openjdk-headless git
fi
