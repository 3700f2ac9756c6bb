"""An ML2 mechanism driver that binds any port on any host at once, without an agent."""
import os

from neutron_lib.api.definitions import portbindings
from neutron_lib import constants
from neutron_lib.plugins.ml2 import api

KNOB = os.path.join(os.environ['MITA_OPENSTACK_DIR'], 'knobs', 'bind-fail')


class AtOnceMechanismDriver(api.MechanismDriver):
    def initialize(self):
        pass

    @property
    def connectivity(self):
        return portbindings.CONNECTIVITY_L2

    def bind_port(self, context):
        if os.path.exists(KNOB):       # touch it: ports on compute hosts fail to bind
            return
        for segment in context.segments_to_bind:
            context.set_binding(segment[api.ID], portbindings.VIF_TYPE_OVS,
                                {portbindings.CAP_PORT_FILTER: True,
                                 portbindings.VIF_DETAILS_CONNECTIVITY:
                                     portbindings.CONNECTIVITY_L2},
                                status=constants.PORT_STATUS_ACTIVE)
            return
