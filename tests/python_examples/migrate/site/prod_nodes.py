# Two dozen kinds of nodes, in all the ways in which people write them.
import copy
import textwrap
from textwrap import dedent

import common
from common import APT, BASE, CENTOS, HEADER, INDENTED, LABELS, REGISTRAR, SIZES, TOKEN, UBUNTU, YUM

keyname = common.KEY
JOIN = 'curl -u admin:{1} -L "{0}/setup/?token={1}&executors=1&labels={labels}&nodename={name}__%s" | bash\n'

nodes = {
    # The first line is not indented: dedent leaves the others as they are.
    'trusty_small': {
        'script': dedent("""#!/bin/bash
        add-apt-repository -y ppa:ansible/ansible
        apt-get update
        curl -L "https://registrar.example.org/?labels=amd64+trusty+small&nodename=trusty_small__%s" | bash
        """),
        'keyname': keyname,
        'image_name': 'Ubuntu 16.04',
        'size': 'c2-15',
        'labels': ['amd64', 'x86_64', 'trusty', 'small', 'rebootable'],
        'provider': 'openstack',
        'storage': 10
    },
    # No line end behind the last line, and another name in front of the id.
    'rhel7-slave': {
        'script': dedent("""#!/bin/bash
        curl -L "https://registrar.example.org/?nodename=rhel7__%s" | bash"""),
        'keyname': 'other key',
        'image_name': 'CentOS-7.1-x86_64-GenericCloud-1503',
        'size': 'm3.xlarge',
        'labels': ['rhel7', 'rhel7.1'],
        'provider': 'openstack',
    },
    'bionic_huge': dict(
        UBUNTU,
        script=APT + JOIN.format(REGISTRAR, TOKEN, labels='+'.join(LABELS + ['huge']), name='bionic_huge'),
        size=SIZES['huge'],
        labels=LABELS + ['bionic', 'huge'],
    ),
    'xenial-f': {
        **UBUNTU,
        'script': f'{HEADER}echo {TOKEN!r} {2:03d} {"%s"}\n',
        'labels': [*LABELS, 'xenial'],
    },
    'percent': {**UBUNTU, 'labels': ('percent',), 'script': '#!/bin/sh\ndf | awk \'{print $5 "%%"}\' # %s\n'},
    'indented': {**UBUNTU, 'labels': ['indented'], 'script': INDENTED},
    'cloud-config': {**UBUNTU, 'labels': ['cc'], 'script': '#cloud-config\nruncmd:\n  - [sh, -c, "register %s"]\n'},
    'windows': {**UBUNTU, 'labels': ['windows'], 'script': '#!ps1\r\nWrite-Host "%s"\r\n'},
    'no-end': {**UBUNTU, 'labels': ['no-end'], 'script': '#!/bin/sh\n: %s\n\n\n'},
    'blank-first': {**UBUNTU, 'labels': ['blank'], 'script': '\n\n   #!/bin/sh\n: %s\n'},
    'blank-last': {**UBUNTU, 'labels': ['blank'], 'script': '#!/bin/sh\n: %s\n\n   '},
    'trailing': {**UBUNTU, 'labels': ['trailing'], 'script': '#!/bin/sh  \n\t: %s \t\n\n \n# :\n- x: {a\n'},
    'einzeln': {**UBUNTU, 'labels': ['größe', '日本', 'emoji-🐧'], 'script': '#!/bin/sh\necho "äöü ‘%s’ 🐧"\n'},
    'odd-bytes': {**UBUNTU, 'labels': ['odd'], 'script': '#!/bin/sh\nprintf "\x1b[31m\x07\x7f\u2028\u0085\ufeff%s"\n'},
    'yes': {**UBUNTU, 'labels': ['no', 'null', '0x1f', '1e3', '12:30:45', '~', '-', '08', '1_000', "it's", 'a"b'], 'script': '#!/bin/sh %s'},
    'name: with colon'.replace(': ', '-'): {**UBUNTU, 'labels': ['a-b'], 'script': '#!/bin/sh\n# comment: %s # x\n'},
    'ünïcode': {**UBUNTU, 'labels': ['u'], 'script': '#!/bin/sh\n: ünïcode__%s\n'},
    'large': {**UBUNTU, 'labels': ['large'], 'script': '#!/bin/sh\n' + ': all work and no play\n' * 1500 + ': %s\n'},
    '__force_dict__': True
}

nodes['centos8'] = dict(CENTOS)
nodes['centos8']['script'] = YUM + JOIN.format(REGISTRAR, TOKEN, labels='centos8', name='centos8')
nodes['centos8']['labels'] = LABELS[:1] if False else list(LABELS)
nodes['centos8']['labels'] += ['centos8', 'huge']

gigantic = copy.deepcopy(nodes['centos8'])
gigantic.update(size=SIZES['gigantic'], script=gigantic['script'].replace('centos8', 'centos8_gigantic'))
gigantic['labels'].append('gigantic')
nodes.update({'centos8_gigantic': gigantic})

nodes['leap15'] = {
    'script': textwrap.dedent('''
        #!/bin/bash
        zypper -n ref
        zypper -n install python3 ansible
        curl "%(registrar)s/?nodename=leap15__%%s"
        ''').strip() % {'registrar': REGISTRAR},
    'image_name': 'opensuse-' + str(15.1),
    'size': SIZES.get('big', 'c2-30'),
    'labels': 'leap15 suse'.split(),
}
nodes['leap15'].update(BASE)

nodes['volume'] = UBUNTU | {'labels': ['volume'], 'storage': 20 * 2, 'script': ''.join([HEADER, ': ', '%s', '\n'])}
nodes['plain'], nodes['spare'] = (
    {**UBUNTU, 'labels': ['plain'], 'script': '#!/bin/sh\n: %s\n'},
    {**UBUNTU, 'labels': ['spare'], 'script': '#!/bin/sh\n: %s\n'},
)

if __name__ == '__main__':
    print(nodes)
