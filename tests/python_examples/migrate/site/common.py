"""What several kinds of nodes have."""
import os
from textwrap import dedent

KEY = 'ci-key'
SIZES = {'small': 'c2-15', 'huge': 'c2-30', 'gigantic': 'c2-120'}
REGISTRAR = os.environ.get('REGISTRAR', 'https://registrar.example.org')
TOKEN = os.environ['REGISTRAR_TOKEN']

HEADER = '#!/bin/bash\n'
APT = HEADER + 'apt-get update\n' + 'apt-get install -y python3 ansible\n'
YUM = """#!/bin/bash
yum install -y epel-release
yum install -y ansible
"""


BASE = dict(keyname=KEY, provider='openstack')
UBUNTU = {**BASE, 'image_name': 'Ubuntu 22.04', 'size': SIZES['small']}
CENTOS = dict(BASE, image_name='Centos 8.1', size=SIZES['huge'])

# Neither is wanted in all of them.
LABELS = ['amd64', 'x86_64']

INDENTED = dedent("""\
    #!/bin/bash
    if true; then
    \techo "a tab, then text"
        date +%%Y-%%m-%%d

    fi
    curl "{registrar}/?token={token}&nodename=indented__%s"
    """).format(registrar=REGISTRAR, token=TOKEN)
