#!/usr/bin/python3
"""Fills the OpenStack that `up` started: identity | resources | hosts |
volume_hosts | aggregates.

Run again, it makes only what is missing. `up` calls it between the starts of the services.
"""
import json
import os
import sys
import time

from keystoneauth1 import exceptions as kexc
from keystoneauth1 import session
from keystoneauth1.identity import v3

HOME = os.environ['MITA_OPENSTACK_DIR']
CINDER = os.environ['CINDER'] == '1'
EXTRA = os.environ['EXTRA'] == '1'
COMPUTES = os.environ['COMPUTES'].split()
KS = 'http://127.0.0.1:5000/v3'
NOVA = 'http://127.0.0.1:8774/v2.1'
NEUTRON = 'http://127.0.0.1:9696/v2.0'
GLANCE = 'http://127.0.0.1:9292/v2'
CINDER_URL = 'http://127.0.0.1:8776/v3'
PLACEMENT = 'http://127.0.0.1:8778'
ADMIN_PASS, SERVICE_PASS = os.environ['ADMIN_PASS'], os.environ['SERVICE_PASS']
CI_PASS = 'ci-pass'
APPCRED = ('ci-appcred', 'ci-appcred-secret')


def login(user, password, project):
    return session.Session(auth=v3.Password(
        auth_url=KS, username=user, password=password, project_name=project,
        user_domain_name='Default', project_domain_name='Default'))


class Api:
    def __init__(self, s):
        self.s = s

    def call(self, method, url, body=None, ok=(), **kw):
        for attempt in range(5):
            try:
                r = self.s.request(url, method, json=body, raise_exc=False, **kw)
            except kexc.ConnectFailure:
                time.sleep(1)
                continue
            if r.status_code in (502, 503):
                time.sleep(1)
                continue
            break
        if r.status_code >= 400 and r.status_code not in ok:
            sys.exit('bootstrap: %s %s: %s %s' % (method, url, r.status_code, r.text))
        try:
            return r.json()
        except ValueError:
            return None

    def get(self, url, **kw):
        return self.call('GET', url, **kw)

    def ensure(self, url, plural, singular, name, body, query='?name=%s'):
        """Return the object called NAME at URL, made from BODY if there is none."""
        found = [o for o in self.get(url + (query % name))[plural] if o['name'] == name]
        if found:
            return found[0]
        return self.call('POST', url, {singular: dict(body, name=name)})[singular]


def identity():
    a = Api(login('admin', ADMIN_PASS, 'admin'))
    dom = 'default'
    roles = {r['name']: r['id'] for r in a.get(KS + '/roles')['roles']}
    for r in ('member', 'reader', 'service'):
        if r not in roles:
            roles[r] = a.ensure(KS + '/roles', 'roles', 'role', r, {})['id']
    service = a.ensure(KS + '/projects', 'projects', 'project', 'service', {'domain_id': dom})
    ids = {}
    for name in ('ci', 'ci-small'):
        ids[name] = a.ensure(KS + '/projects', 'projects', 'project', name, {'domain_id': dom})['id']

    def user(name, password, project, *rs):
        u = a.ensure(KS + '/users', 'users', 'user', name, {'domain_id': dom, 'password': password})
        for r in rs:
            a.call('PUT', '%s/projects/%s/users/%s/roles/%s' % (KS, project, u['id'], roles[r]))
        return u

    names = ['placement', 'glance', 'neutron', 'nova'] + (['cinder'] if CINDER else [])
    for n in names:
        user(n, SERVICE_PASS, service['id'], 'admin', 'service')
    ci = user('ci', CI_PASS, ids['ci'], 'member', 'reader')
    user('ci', CI_PASS, ids['ci-small'], 'member')
    user('ci-reader', CI_PASS, ids['ci'], 'reader')

    endpoints = [('placement', 'placement', PLACEMENT),
                 ('image', 'glance', 'http://127.0.0.1:9292'),
                 ('network', 'neutron', 'http://127.0.0.1:9696'),
                 ('compute', 'nova', NOVA)]
    if CINDER:
        endpoints.append(('volumev3', 'cinderv3', CINDER_URL + '/%(project_id)s'))
    for typ, name, url in endpoints:
        s = a.ensure(KS + '/services', 'services', 'service', name, {'type': typ})
        have = a.get(KS + '/endpoints?service_id=' + s['id'])['endpoints']
        for iface in ('public', 'internal', 'admin'):
            mine = [e for e in have if e['interface'] == iface]
            if not mine:
                a.call('POST', KS + '/endpoints', {'endpoint': {
                    'service_id': s['id'], 'interface': iface, 'region_id': 'RegionOne', 'url': url}})
            elif mine[0]['url'] != url:
                a.call('PATCH', KS + '/endpoints/' + mine[0]['id'], {'endpoint': {'url': url}})

    c = Api(login('ci', CI_PASS, 'ci'))
    base = '%s/users/%s/application_credentials' % (KS, ci['id'])
    have = [x for x in c.get(base)['application_credentials'] if x['name'] == APPCRED[0]]
    if have:
        cred = have[0]
    else:
        cred = c.call('POST', base, {'application_credential': {
            'name': APPCRED[0], 'secret': APPCRED[1]}})['application_credential']
    files(cred['id'])


def files(cred_id):
    def rc(name, d):
        with open(os.path.join(HOME, name), 'w') as f:
            for k in ('OS_USERNAME', 'OS_PASSWORD', 'OS_PROJECT_NAME', 'OS_USER_DOMAIN_NAME',
                      'OS_PROJECT_DOMAIN_NAME', 'OS_APPLICATION_CREDENTIAL_ID',
                      'OS_APPLICATION_CREDENTIAL_SECRET', 'OS_CLOUD'):
                if k not in d:
                    f.write('unset %s\n' % k)
            for k, v in d.items():
                f.write('export %s=%s\n' % (k, v))

    base = {'OS_AUTH_URL': KS, 'OS_IDENTITY_API_VERSION': '3', 'OS_REGION_NAME': 'RegionOne',
            'OS_INTERFACE': 'public'}

    def pw(user, password, project):
        return dict(base, OS_AUTH_TYPE='password', OS_USERNAME=user, OS_PASSWORD=password,
                    OS_PROJECT_NAME=project, OS_USER_DOMAIN_NAME='Default',
                    OS_PROJECT_DOMAIN_NAME='Default')
    rc('openrc', pw('ci', CI_PASS, 'ci'))
    rc('openrc.admin', pw('admin', ADMIN_PASS, 'admin'))
    rc('openrc.appcred', dict(base, OS_AUTH_TYPE='v3applicationcredential',
                              OS_APPLICATION_CREDENTIAL_ID=cred_id,
                              OS_APPLICATION_CREDENTIAL_SECRET=APPCRED[1]))

    def cloud(user, password, project):
        return {'auth': {'auth_url': KS, 'username': user, 'password': password,
                         'project_name': project, 'user_domain_name': 'Default',
                         'project_domain_name': 'Default'},
                'region_name': 'RegionOne', 'interface': 'public', 'identity_api_version': 3}
    clouds = {
        'ci': cloud('ci', CI_PASS, 'ci'),
        'ci-small': cloud('ci', CI_PASS, 'ci-small'),
        'ci-reader': cloud('ci-reader', CI_PASS, 'ci'),
        'admin': cloud('admin', ADMIN_PASS, 'admin'),
        'ci-badpass': cloud('ci', 'wrong', 'ci'),
        'ci-appcred': {'auth_type': 'v3applicationcredential',
                       'auth': {'auth_url': KS, 'application_credential_id': cred_id,
                                'application_credential_secret': APPCRED[1]},
                       'region_name': 'RegionOne', 'interface': 'public',
                       'identity_api_version': 3}}
    with open(os.path.join(HOME, 'clouds.yaml'), 'w') as f:
        f.write('clouds:\n')

        def emit(d, ind):
            for k, v in d.items():
                if isinstance(v, dict):
                    f.write('%s%s:\n' % (' ' * ind, k))
                    emit(v, ind + 2)
                else:
                    f.write('%s%s: %s\n' % (' ' * ind, k, json.dumps(v)))
        emit(clouds, 2)


FLAVORS = [  # name, id, vcpus, ram MiB, disk GiB
    ('m1.tiny', '1', 1, 512, 1), ('m1.small', '2', 1, 2048, 20), ('m1.medium', '3', 2, 4096, 40),
    ('m1.large', '4', 4, 8192, 80), ('m3.xlarge', None, 4, 15360, 80),
    ('m1.nodisk', None, 1, 1024, 0),
    ('huge', None, 8, 900000, 10)]         # more RAM than any host has: no valid host


def resources():
    a = Api(login('admin', ADMIN_PASS, 'admin'))
    have = {f['name'] for f in a.get(NOVA + '/flavors?is_public=None')['flavors']}
    for name, fid, vcpus, ram, disk in FLAVORS:
        if name not in have:
            a.call('POST', NOVA + '/flavors', {'flavor': {
                'name': name, 'id': fid, 'vcpus': vcpus, 'ram': ram, 'disk': disk}})

    # two images share the name 'twin'; 'big-disk' needs a larger flavor than m1.tiny
    wanted = [('ubuntu-24.04', 1, {}), ('debian-12', 1, {}), ('cirros', 1, {}),
              ('twin', 2, {}), ('big-disk', 1, {'min_disk': 30, 'min_ram': 3000})]
    for name, n, extra in wanted:
        images = a.get(GLANCE + '/images?name=' + name)['images']
        for i in images:
            if i['status'] == 'queued':
                upload(a, i['id'], name)
        for k in range(n - len(images)):
            body = {'name': name, 'disk_format': 'raw', 'container_format': 'bare',
                    'visibility': 'public', 'os_distro': name.split('-')[0]}
            body.update(extra)
            upload(a, a.call('POST', GLANCE + '/images', body)['id'], name)

    projects = {p['name']: p['id'] for p in a.get(KS + '/projects')['projects']}
    ci, small = projects['ci'], projects['ci-small']
    quotas(a, ci, small)
    networks(a, ci, small)
    groups()
    if CINDER:
        volume_types(a)


def upload(a, image_id, name):
    data = (name + '\n').encode() * 4096
    r = a.s.request('%s/images/%s/file' % (GLANCE, image_id), 'PUT', data=data,
                    headers={'Content-Type': 'application/octet-stream'})
    assert r.status_code == 204, r.text


def quotas(a, ci, small):
    a.call('PUT', NOVA + '/os-quota-sets/' + ci, {'quota_set': {
        'instances': 2000, 'cores': 8000, 'ram': 16000000, 'key_pairs': 200,
        'server_groups': 50, 'server_group_members': 200}})
    a.call('PUT', NOVA + '/os-quota-sets/' + small, {'quota_set': {
        'instances': 2, 'cores': 4, 'ram': 8192, 'key_pairs': 2}})
    a.call('PUT', NEUTRON + '/quotas/' + ci, {'quota': {
        'network': 100, 'subnet': 100, 'port': 5000, 'router': 50, 'floatingip': 500,
        'security_group': 200, 'security_group_rule': 2000}})
    a.call('PUT', NEUTRON + '/quotas/' + small, {'quota': {
        'network': 2, 'subnet': 2, 'port': 20, 'router': 2, 'floatingip': 1,
        'security_group': 3, 'security_group_rule': 20}})
    if CINDER:
        adm = a.s.get_project_id()
        a.call('PUT', '%s/%s/os-quota-sets/%s' % (CINDER_URL, adm, ci), {'quota_set': {
            'volumes': 2000, 'gigabytes': 100000, 'snapshots': 500}})
        a.call('PUT', '%s/%s/os-quota-sets/%s' % (CINDER_URL, adm, small), {'quota_set': {
            'volumes': 1, 'gigabytes': 10, 'snapshots': 1}})


def networks(a, ci, small):
    def net(name, project, **kw):
        return a.ensure(NEUTRON + '/networks', 'networks', 'network', name,
                        dict(kw, project_id=project))

    def subnet(name, n, project, **kw):
        return a.ensure(NEUTRON + '/subnets', 'subnets', 'subnet', name,
                        dict(kw, network_id=n['id'], project_id=project))

    ext = net('public', a.s.get_project_id(), **{
        'router:external': True, 'provider:network_type': 'flat',
        'provider:physical_network': 'ext'})
    subnet('public-v4', ext, a.s.get_project_id(), cidr='198.18.0.0/20', ip_version=4,
           gateway_ip='198.18.0.1', enable_dhcp=False)

    def router(name, project, *subnets):
        r = a.ensure(NEUTRON + '/routers', 'routers', 'router', name, {
            'project_id': project, 'external_gateway_info': {'network_id': ext['id']}})
        ports = a.get(NEUTRON + '/ports?device_id=' + r['id'])['ports']
        plugged = {f['subnet_id'] for p in ports for f in p['fixed_ips']}
        for s in subnets:
            if s['id'] not in plugged:
                a.call('PUT', '%s/routers/%s/add_router_interface' % (NEUTRON, r['id']),
                       {'subnet_id': s['id']})

    private = net('private', ci)
    p4 = subnet('private-v4', private, ci, cidr='10.20.0.0/16', ip_version=4)
    router('ci-router', ci, p4)
    a.ensure(NEUTRON + '/ports', 'ports', 'port', 'ci-port', {'network_id': private['id'], 'project_id': ci})
    dual = net('dual', ci)                     # no router: IPv4 and IPv6 addresses
    subnet('dual-v4', dual, ci, cidr='10.30.0.0/20', ip_version=4)
    subnet('dual-v6', dual, ci, cidr='fd00:30::/64', ip_version=6,
           ipv6_address_mode='slaac', ipv6_ra_mode='slaac')
    s = net('small-net', small)
    s4 = subnet('small-v4', s, small, cidr='10.40.0.0/24', ip_version=4)
    router('small-router', small, s4)


def groups():
    c = Api(login('ci', CI_PASS, 'ci'))
    c.ensure(NEUTRON + '/security-groups', 'security_groups', 'security_group', 'ci-open', {})
    version = {'headers': {'X-OpenStack-Nova-API-Version': '2.15'}}
    url = NOVA + '/os-server-groups'
    if 'ci-apart' not in [g['name'] for g in c.get(url, **version)['server_groups']]:
        c.call('POST', url, {'server_group': {
            'name': 'ci-apart', 'policies': ['soft-anti-affinity']}}, **version)


def volume_types(a):
    url = '%s/%s/types' % (CINDER_URL, a.s.get_project_id())
    have = [t['name'] for t in a.get(url)['volume_types']]
    for name in ('ssd', 'hdd'):
        if name not in have:
            a.call('POST', url, {'volume_type': {'name': name}})


def hosts():
    a = Api(login('admin', ADMIN_PASS, 'admin'))
    want = set(COMPUTES) | ({'fake-slow', 'fake-broken'} if EXTRA else set())
    for _ in range(240):
        up = {s['host'] for s in a.get(NOVA + '/os-services?binary=nova-compute')['services']
              if s['state'] == 'up'}
        if want <= up:
            break
        time.sleep(0.5)
    else:
        sys.exit('bootstrap: compute hosts not up: %s' % sorted(want - up))
    for _ in range(120):
        rps = {p['name'] for p in a.get(PLACEMENT + '/resource_providers')['resource_providers']}
        if want <= rps:
            return
        time.sleep(0.5)
    sys.exit('bootstrap: no resource providers for %s' % sorted(want - rps))


def volume_hosts():
    """Wait until cinder-scheduler knows where volumes can be: until then each goes to error."""
    a = Api(login('admin', ADMIN_PASS, 'admin'))
    url = '%s/%s/scheduler-stats/get_pools' % (CINDER_URL, a.s.get_project_id())
    for _ in range(240):
        if a.get(url)['pools']:
            return
        time.sleep(0.5)
    sys.exit('bootstrap: cinder-scheduler knows no pool')


def aggregates():
    a = Api(login('admin', ADMIN_PASS, 'admin'))
    n = len(COMPUTES)
    zones = {'az1': COMPUTES[:n - 1] or COMPUTES, 'az2': COMPUTES[n - 1:] if n > 1 else []}
    if EXTRA:
        zones['az-slow'], zones['az-broken'] = ['fake-slow'], ['fake-broken']
    have = {g['name']: g for g in a.get(NOVA + '/os-aggregates')['aggregates']}
    for az, hs in zones.items():
        g = have.get(az) or a.call('POST', NOVA + '/os-aggregates', {'aggregate': {
            'name': az, 'availability_zone': az}})['aggregate']
        for h in hs:
            if h not in g.get('hosts', []):
                a.call('POST', '%s/os-aggregates/%s/action' % (NOVA, g['id']),
                       {'add_host': {'host': h}}, ok=(409,))


if __name__ == '__main__':
    {'identity': identity, 'resources': resources, 'hosts': hosts,
     'volume_hosts': volume_hosts, 'aggregates': aggregates}[sys.argv[1]]()
