"""nova's FakeDriver, slowed down: seconds to spawn are read from a file each time."""
import os
import time

from nova.virt import fake

KNOB = os.path.join(os.environ['MITA_OPENSTACK_DIR'], 'knobs', 'spawn-delay')


class SlowFakeDriver(fake.FakeDriver):
    def spawn(self, *args, **kwargs):
        start = time.monotonic()
        while True:
            try:
                with open(KNOB) as f:
                    delay = float(f.read().strip() or 0)
            except (OSError, ValueError):
                delay = 5.0
            left = start + delay - time.monotonic()
            if left <= 0:
                break
            time.sleep(min(left, 0.5))
        return super().spawn(*args, **kwargs)
