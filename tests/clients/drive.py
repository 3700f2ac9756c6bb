"""Drives the fakes with clients that others wrote: python-jenkins, api4jenkins, openstacksdk.

Started by tests/clients.rs, which has put into the world: the agents idle-1 and idle-2 (online), busy-1 (online, with
a build of 10,000 s) and off-1 (never connected); queued jobs `waits` (label nosuch) and `folder/deep` (label linux).
Usage: drive.py JENKINS_URL AUTH_URL
"""

import sys

import api4jenkins
import jenkins
import keystoneauth1.exceptions
import openstack

JENKINS_URL, AUTH_URL = sys.argv[1:3]


def is_(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r}, not {wanted!r}")


def fails(what, error, act):
    try:
        act()
    except error as e:
        return e
    raise AssertionError(f"{what}: no {error}")


def with_python_jenkins():
    server = jenkins.Jenkins(JENKINS_URL, username="mita", password="11token", timeout=10)
    is_("whoami", server.get_whoami()["id"], "mita")
    is_("version", server.get_version(), "2.544")
    queue = {i["task"]["name"]: i for i in server.get_queue_info()}
    is_("queue", sorted(queue), ["deep", "waits"])
    is_("class", queue["waits"]["_class"], "hudson.model.Queue$BuildableItem")
    is_("why", "nosuch" in queue["waits"]["why"], True)
    is_("item", server.get_queue_item(queue["waits"]["id"])["stuck"], True)
    nodes = {n["name"]: n["offline"] for n in server.get_nodes()}
    is_("nodes", {n: o for n, o in nodes.items() if "-1" in n}, {"idle-1": False, "busy-1": False, "off-1": True})
    info = server.get_node_info("busy-1", depth=1)
    is_("busy", (info["idle"], info["numExecutors"]), (False, 1))
    is_("running", info["executors"][0]["currentExecutable"]["number"] > 0, True)
    server.disable_node("idle-1", "by python : jenkins")
    info = server.get_node_info("idle-1")
    is_("disabled", (info["temporarilyOffline"], info["offline"], info["idle"]), (True, True, True))
    is_("reason", info["offlineCauseReason"], "jenkins")
    server.enable_node("idle-1")
    is_("enabled", server.get_node_info("idle-1")["offline"], False)
    # Asking twice changes nothing; a node that is posted anew loses its mark.
    server.enable_node("idle-1")
    is_("still enabled", server.get_node_info("idle-1")["temporarilyOffline"], False)
    server.disable_node("idle-1", "m")
    server.disable_node("idle-1", "m")
    is_("still disabled", server.get_node_info("idle-1")["temporarilyOffline"], True)
    server.reconfig_node("idle-1", server.get_node_config("idle-1"))
    is_("posted anew", server.get_node_info("idle-1")["temporarilyOffline"], False)
    is_("config", "<name>idle-1</name>" in server.get_node_config("idle-1"), True)
    server.create_node("made", numExecutors=2, labels="linux x86", remoteFS="/srv", launcher=jenkins.LAUNCHER_JNLP)
    is_("made", (server.node_exists("made"), server.get_node_info("made")["jnlpAgent"]), (True, True))
    fails("a second of that name", jenkins.JenkinsException, lambda: server.create_node("made"))
    # This client does not mark what is offline anyway.
    server.disable_node("made", "before it ever connects")
    info = server.get_node_info("made")
    is_("unmarked", (info["temporarilyOffline"], info["idle"], info["numExecutors"]), (False, True, 2))
    server.delete_node("made")
    is_("gone", server.node_exists("made"), False)
    fails("no such node", jenkins.JenkinsException, lambda: server.delete_node("made"))
    wrong = jenkins.Jenkins(JENKINS_URL, username="mita", password="wrong")
    fails("wrong token", jenkins.JenkinsException, wrong.get_queue_info)
    # A password needs a crumb and the session it belongs to; the client keeps both.
    by_password = jenkins.Jenkins(JENKINS_URL, username="mita", password="mita-pass")
    by_password.disable_node("idle-1", "m")
    by_password.enable_node("idle-1")


def with_api4jenkins():
    server = api4jenkins.Jenkins(JENKINS_URL, auth=("mita", "11token"))
    is_("version", server.version, "2.544")
    items = list(server.queue)
    is_("items", [i.blocked for i in items], [False, False])
    is_("why", any("nosuch" in i.why for i in items), True)
    names = sorted(n.name for n in server.nodes)
    is_("nodes", [n for n in names if n.endswith("-1")], ["busy-1", "idle-1", "off-1"])
    node = server.nodes.get("idle-2")
    is_("idle", (node.idle, node.offline), (True, False))
    node.disable("by api4jenkins")
    is_("disabled", server.nodes.get("idle-2").temporarily_offline, True)
    node.enable()
    is_("enabled", server.nodes.get("idle-2").offline, False)
    node.delete()
    is_("deleted", server.nodes.get("idle-2"), None)
    server.nodes.create("api-made", labelString="linux", remoteFS="/srv", numExecutors=3)
    made = server.nodes.get("api-made")
    is_("made", (made.num_executors, made.jnlp_agent, made.offline, made.idle), (3, True, True, True))
    # Nor does this one mark what is offline.
    made.disable("m")
    is_("unmarked", server.nodes.get("api-made").temporarily_offline, False)
    made.delete()
    is_("deleted again", server.nodes.get("api-made"), None)
    admin = api4jenkins.Jenkins(JENKINS_URL, auth=("admin", "11admin"))
    admin.system.quiet_down()
    is_("quieting down", admin.quieting_down, True)
    is_("what waits says so", all("shut down" in i.why for i in server.queue), True)
    admin.system.cancel_quiet_down()
    is_("no more", admin.quieting_down, False)
    refused = api4jenkins.Jenkins(JENKINS_URL, auth=("mita", "11token"))
    fails("not an administrator", PermissionError, refused.system.quiet_down)


def connect(**more):
    auth = {
        "auth_url": AUTH_URL,
        "username": "ci",
        "password": "ci-pass",
        "project_name": "ci",
        "user_domain_name": "Default",
        "project_domain_id": "default",
        "region_name": "RegionOne",
    }
    return openstack.connect(load_yaml_config=False, load_envvars=False, **{**auth, **more})


def with_volumes(cloud, image, network):
    disks = [
        {"boot_index": 0, "uuid": image.id, "source_type": "image", "destination_type": "local"},
        {"boot_index": -1, "source_type": "blank", "destination_type": "volume", "volume_size": 5,
         "delete_on_termination": True},
    ]
    server = cloud.compute.create_server(name="disk", image_id=image.id, flavor_id="1", block_device_mapping=disks,
                                         networks=[{"uuid": network.id}])
    server = cloud.compute.wait_for_server(server, interval=0.01)
    volume = next(iter(cloud.block_storage.volumes()))
    is_("attached", [v["id"] for v in server.attached_volumes], [volume.id])
    is_("volume", (volume.status, volume.size, volume.name), ("in-use", 5, f"{server.id}-blank-vol"))
    is_("its server", volume.attachments[0]["server_id"], server.id)
    cloud.block_storage.set_volume_metadata(volume, a="b")
    cloud.block_storage.set_volume_metadata(volume, c="d")
    is_("metadata", cloud.block_storage.get_volume(volume.id).metadata, {"a": "b", "c": "d"})
    fails("in use", openstack.exceptions.BadRequestException,
          lambda: cloud.block_storage.delete_volume(volume, ignore_missing=False))
    is_("console", cloud.compute.get_server_console_output(server, length=1)["output"], "LAST LINE")
    own = cloud.block_storage.create_volume(name="own", size=1)
    is_("volumes", sorted(v.size for v in cloud.block_storage.volumes(limit=1)), [1, 5])
    cloud.block_storage.delete_volume(own)
    cloud.delete_server(server.id, wait=True, timeout=60)
    is_("the volume goes", list(cloud.block_storage.volumes()), [])


def with_openstacksdk():
    cloud = connect()
    is_("no servers", list(cloud.compute.servers()), [])
    is_("flavor", cloud.compute.find_flavor("m1.small").ram, 2048)
    is_("flavors", len(list(cloud.compute.flavors(limit=2))), 6)
    image = cloud.image.find_image("ubuntu-24.04")
    is_("images", len(list(cloud.image.images(limit=2))), 5)
    is_("twins", len(list(cloud.image.images(name="twin"))), 2)
    is_("key", cloud.compute.find_keypair("jenkins").name, "jenkins")
    is_("zones", sorted(z.name for z in cloud.compute.availability_zones()), ["az1", "az2"])
    network = cloud.network.find_network("private")
    is_("external", [n.name for n in cloud.network.networks(is_router_external=True)], ["public"])
    is_("groups", [g.name for g in cloud.network.security_groups()], ["default"])
    server = cloud.create_server(
        "sdk-1", image=image, flavor="m1.small", network=network.id, key_name="jenkins", userdata="#!/bin/sh\n",
        meta={"owner": "me"}, auto_ip=False, wait=True, timeout=60,
    )
    is_("active", (server.status, server.name, server.metadata["owner"]), ("ACTIVE", "sdk-1", "me"))
    is_("address", len(server.addresses["private"]), 1)
    limits = cloud.get_compute_limits()
    is_("limits", (limits.max_total_instances, limits.total_instances_used), (2000, 1))
    port = next(iter(cloud.network.ports(device_id=server.id)))
    public = cloud.network.find_network("public")
    ip = cloud.network.create_ip(floating_network_id=public.id, port_id=port.id, description="ours")
    is_("floating", [i.description for i in cloud.network.ips()], ["ours"])
    for n in range(2, 8):
        cloud.compute.create_server(name=f"sdk-{n}", image_id=image.id, flavor_id="1", networks=[{"uuid": network.id}])
    for n in range(1, 8):
        found = cloud.compute.find_server(f"sdk-{n}")
        cloud.compute.wait_for_server(found, interval=0.01)
    names = sorted(s.name for s in cloud.compute.servers(limit=3))
    is_("paged", names, [f"sdk-{n}" for n in range(1, 8)])
    cloud.delete_server(server.id, wait=True, timeout=60)
    fails("gone", openstack.exceptions.NotFoundException, lambda: cloud.compute.get_server(server.id))
    is_("the address stays", [i.port_id for i in cloud.network.ips()], [None])
    cloud.network.delete_ip(ip)
    fails("no such address", openstack.exceptions.NotFoundException,
          lambda: cloud.network.delete_ip(ip, ignore_missing=False))
    made = cloud.network.create_port(network_id=network.id, name="mine", description="ours")
    is_("port", (made.description, len(made.fixed_ips), made.device_id), ("ours", 1, ""))
    is_("ports", [p.name for p in cloud.network.ports(description="ours", limit=1)], ["mine"])
    cloud.network.delete_port(made)
    with_volumes(cloud, image, network)
    bad = fails(
        "a bad image", openstack.exceptions.BadRequestException,
        lambda: cloud.compute.create_server(name="x", image_id="0" * 8 + "-0000-0000-0000-" + "0" * 12, flavor_id="1",
                                            networks=[{"uuid": network.id}]),
    )
    is_("its text", "Can not find requested image" in str(bad), True)
    for left in list(cloud.compute.servers()):
        cloud.compute.delete_server(left)
    fails("wrong password", keystoneauth1.exceptions.Unauthorized, lambda: list(connect(password="x").compute.servers()))


for drive in (with_python_jenkins, with_api4jenkins, with_openstacksdk):
    drive()
    print(f"{drive.__name__}: well")
