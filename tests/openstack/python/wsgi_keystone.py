from keystone.server.wsgi import initialize_public_application
from mita_faults import Faults
application = Faults(initialize_public_application(), 'keystone')
