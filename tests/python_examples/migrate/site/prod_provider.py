# -*- coding: latin-1 -*-
from os import environ

provider = {
    # the byte behind the next word is no UTF-8: grün
    'openstack': dict(
        username='bläser',
        password=environ.get('OS_PASSWORD') or 'p#ss: "word" \'s\\ ',
        auth_url='https://auth.cloud.example.org' + ':5000',
        auth_version='3.x_password',
        service_region=u'REGION-1',
        tenant_name='0123456789',
    ),
}
