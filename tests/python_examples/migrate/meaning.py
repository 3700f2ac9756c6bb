"""Prints, as JSON, what a configuration of the original means: it is run here, with modules that it needs made up."""
import json
import sys
from unittest.mock import MagicMock

ID = "0123456789ab"

for name in ("pecan", "pecan.hooks", "mita", "mita.hooks"):
    sys.modules[name] = MagicMock()
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import prod

nodes = {name: dict(node) for name, node in prod.nodes.items() if name != "__force_dict__"}
for node in nodes.values():
    # What the original did: a server's id, filled in.
    node["script"] = node["script"] % ID
json.dump({"provider": prod.provider, "jenkins": prod.jenkins, "nodes": nodes}, sys.stdout)
