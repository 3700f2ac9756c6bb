"""A configuration of the original's full shape: application, database, and the three sections from files beside it."""
import logging.config
import os
import sys
from pecan.hooks import TransactionHook

from mita import models
from mita.hooks import error
from prod_jenkins import jenkins
from prod_nodes import nodes
from prod_provider import provider

try:
    from prod_local import *  # noqa: what only some machines have
except ImportError:
    pass

server = {'port': '8000', 'host': '0.0.0.0'}

app = {
    'root': 'mita.controllers.root.RootController',
    'modules': ['mita'],
    'debug': os.environ.get('MITA_DEBUG', '') == 'yes',
    'hooks': [TransactionHook(models.start, models.commit, models.clear), error.CustomErrorHook()],
}

sqlalchemy = {'url': 'postgresql+psycopg2://mita:%s@127.0.0.1/mita' % os.environ.get('MITA_DB_PASSWORD', ''), 'echo': False}

logging = {
    'loggers': {'mita': {'level': 'DEBUG', 'handlers': ['console']}, '__force_dict__': True},
    'formatters': {'simple': {'format': ('%(asctime)s [%(levelname)-8s] '
                                         '%(message)s')}},
}
