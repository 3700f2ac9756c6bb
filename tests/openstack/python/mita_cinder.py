"""A cinder backend that stores nothing and says yes."""
import os
import time

from cinder.volume import driver

KNOB = os.path.join(os.environ['MITA_OPENSTACK_DIR'], 'knobs', 'volume-delay')


def _wait():
    try:
        with open(KNOB) as f:
            time.sleep(float(f.read().strip() or 0))
    except (OSError, ValueError):
        pass


class FakeVolumeDriver(driver.VolumeDriver):
    VERSION = '1.0'

    def check_for_setup_error(self):
        pass

    def _update_volume_stats(self):
        name = self.configuration.safe_get('volume_backend_name') or 'mita'
        self._stats = {
            'volume_backend_name': name, 'vendor_name': 'mita',
            'driver_version': self.VERSION, 'storage_protocol': 'fake',
            'pools': [{
                'pool_name': name, 'total_capacity_gb': 1000000,
                'free_capacity_gb': 1000000, 'provisioned_capacity_gb': 0,
                'reserved_percentage': 0, 'max_over_subscription_ratio': 20.0,
                'thin_provisioning_support': True,
                'thick_provisioning_support': False,
                'QoS_support': False, 'multiattach': True,
                'filter_function': self.get_filter_function(),
                'goodness_function': self.get_goodness_function()}]}

    def create_volume(self, volume):
        _wait()

    def delete_volume(self, volume):
        _wait()

    def create_snapshot(self, snapshot):
        pass

    def delete_snapshot(self, snapshot):
        pass

    def create_volume_from_snapshot(self, volume, snapshot):
        _wait()

    def create_cloned_volume(self, volume, src_vref):
        _wait()

    def extend_volume(self, volume, new_size):
        pass

    def clone_image(self, context, volume, image_location, image_meta,
                    image_service):
        _wait()
        return {}, True              # "cloned": the image is not downloaded

    def copy_image_to_volume(self, context, volume, image_service, image_id,
                             disable_sparse=False):
        _wait()

    def ensure_export(self, context, volume):
        pass

    def create_export(self, context, volume, connector):
        pass

    def remove_export(self, context, volume):
        pass

    def initialize_connection(self, volume, connector, **kwargs):
        return {'driver_volume_type': 'fake',
                'data': {'volume_id': volume['id'], 'access_mode': 'rw'}}

    def terminate_connection(self, volume, connector, **kwargs):
        pass
