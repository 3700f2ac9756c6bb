import os

HOST = 'jenkins.%s' % 'example.org'

jenkins = {
    'url': f'https://{HOST}/ci',
    'user': os.getenv('JENKINS_USER', 'ci-robot'),
    'token': os.environ['JENKINS_TOKEN'],
    '__force_dict__': True,
}
