from placement.wsgi import init_application
from mita_faults import Faults
application = Faults(init_application(), 'placement')
