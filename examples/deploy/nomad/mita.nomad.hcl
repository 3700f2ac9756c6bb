# A pass a minute as a periodic job of Nomad: `nomad job run mita.nomad.hcl`. For several controllers run it once for each,
# with `-var owner=ci-b`: job, volume and secrets get names of their own.
#
# Before the first time, on one client: the binary at /usr/local/bin/mita, and a host volume of that name in the client's
# configuration (client { host_volume "mita-ci" { path = "/var/lib/mita-ci" } }), owned by the user below. The state may be
# lost at any time, but not in every pass: idle times and open problems live in it.
# The secrets: nomad var put nomad/jobs/mita-ci jenkins_token=... openstack_password=...

variable "owner" {
  type    = string
  default = "ci"
}

variable "jenkins_url" {
  type    = string
  default = "https://jenkins.example.com"
}

# The number of the user `mita` on the clients.
variable "uid" {
  type    = number
  default = 990
}

job "mita" {
  id          = "mita-${var.owner}"
  datacenters = ["*"]
  type        = "batch"

  periodic {
    crons = ["* * * * *"]
    # mita has a lock of its own, but a second task would only find it taken.
    prohibit_overlap = true
  }

  group "pass" {
    # The next minute is the next attempt.
    restart {
      attempts = 0
      mode     = "fail"
    }
    reschedule {
      attempts  = 0
      unlimited = false
    }

    # Places the task on the client that has the volume.
    volume "state" {
      type   = "host"
      source = "mita-${var.owner}"
    }

    task "mita" {
      driver = "exec"
      user   = "mita"
      # At SIGTERM mita finishes the request in flight, saves and ends.
      kill_signal  = "SIGTERM"
      kill_timeout = "60s"

      config {
        command = "/usr/local/bin/mita"
        args    = ["-c", "/local/mita.yaml", "run"]
      }

      volume_mount {
        volume      = "state"
        destination = "/state"
      }

      template {
        destination = "local/mita.yaml"
        # Double braces are mita's: Nomad has to leave them alone.
        left_delimiter  = "[["
        right_delimiter = "]]"
        data            = <<-YAML
          state_file: /state/state.json
          owner: ${var.owner}
          provider:
            openstack:
              auth_url: https://keystone.example.com:5000
              username: ci
              password_file: /secrets/openstack-password
              tenant_name: ci
          jenkins:
            url: ${var.jenkins_url}
            user: mita
            token_file: /secrets/jenkins-token
          nodes:
            linux:
              provider: openstack
              image_name: ubuntu-24.04 with agent
              size: m1.medium
              labels: [linux]
              script: |
                #!/bin/bash
                exec /opt/agent --jenkins "{{ mita.jenkins_url }}" --name "{{ mita.name }}" --labels "{{ mita.labels }}"
        YAML
      }

      # In memory, and readable by this task alone. All passes of a periodic job may read what is kept below its own name.
      template {
        destination = "secrets/jenkins-token"
        perms       = "0600"
        uid         = var.uid
        data        = "{{ with nomadVar \"nomad/jobs/mita-${var.owner}\" }}{{ .jenkins_token }}{{ end }}"
      }

      template {
        destination = "secrets/openstack-password"
        perms       = "0600"
        uid         = var.uid
        data        = "{{ with nomadVar \"nomad/jobs/mita-${var.owner}\" }}{{ .openstack_password }}{{ end }}"
      }

      resources {
        cpu        = 100
        memory     = 64
        memory_max = 256
      }
    }
  }
}
