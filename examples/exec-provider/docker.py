#!/usr/bin/env python3
"""A provider of type exec for mita: Jenkins agents as containers of a Docker host.

Called as `docker.py VERB` with one JSON object on stdin; answers with one JSON object on stdout. README.md beside this
file describes the protocol and the keys of a template that are understood here. Needs Python 3.8 and the docker
command, nothing else.
"""

import io
import json
import os
import re
import subprocess
import sys
import tarfile

# What mita acts on; any other exit code means that it is not known whether anything was done.
UNKNOWN_VERB, REFUSED, NOT_FOUND, UNAVAILABLE, NO_ROOM, NO_ANSWER, NOT_ALLOWED, CONFLICT = 64, 65, 66, 69, 73, 74, 77, 81

# What the docker command says, and what it means. The first that fits counts.
MEANINGS = [
    (r"no such image|unable to find image|pull access denied|manifest unknown|repository .* not found", REFUSED),
    (r"no such container", NOT_FOUND),
    (r"cannot connect to the docker daemon|error during connect|no such host|connection refused", UNAVAILABLE),
    (r"permission denied while trying to connect", NOT_ALLOWED),
    (r"no space left on device|cannot allocate memory", NO_ROOM),
    (r"is already in use by container", CONFLICT),
    (r"network .* not found|no command specified|invalid |unknown flag|range of cpus|minimum memory limit", REFUSED),
]

# Where the script of the template stands in the container.
SCRIPT = "mita/user-data"


class Failure(Exception):
    """What ends a call: the exit code, and the sentence that mita shows."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def docker(*arguments, data=None):
    """Runs the docker command and returns what it prints."""
    command = [os.environ.get("DOCKER", "docker"), *arguments]
    try:
        done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    except OSError as error:
        raise Failure(UNAVAILABLE, f"cannot run {command[0]}: {error}") from error
    if done.returncode == 0:
        return done.stdout.decode("utf-8", "replace")
    said = " ".join(done.stderr.decode("utf-8", "replace").split()) or f"exit code {done.returncode}"
    for pattern, code in MEANINGS:
        if re.search(pattern, said, re.IGNORECASE):
            raise Failure(code, said)
    raise Failure(NO_ANSWER, said)


def inspect(ids):
    """Returns all that docker knows of some containers."""
    return json.loads(docker("inspect", "--type", "container", *ids)) if ids else []


def list_servers(_request):
    """All containers that bear a mark of any mita; the others cannot be ours."""
    for last in (False, True):
        try:
            ids = docker("ps", "--all", "--no-trunc", "--quiet", "--filter", "label=mita-owner").split()
            return {"version": 1, "servers": [server(it) for it in inspect(ids)], "verbs": ["check", "console"]}
        except Failure as failure:
            # One of them went between the two commands.
            if failure.code != NOT_FOUND or last:
                raise
    return None


def server(container):
    """A container in the words of the protocol."""
    state = container["State"]
    status, fault = {"running": "ACTIVE", "created": "BUILD", "restarting": "BUILD", "removing": "DELETING"}.get(
        state["Status"], state["Status"].upper()
    ), None
    if state["Status"] in ("exited", "dead"):
        status, fault = "ERROR", state.get("Error") or f"ended with exit code {state.get('ExitCode')}"
    networks = (container["NetworkSettings"].get("Networks") or {}).values()
    addresses = [network.get(key) for network in networks for key in ("IPAddress", "GlobalIPv6Address")]
    return {
        "id": container["Id"],
        "name": container["Name"].lstrip("/"),
        "status": status,
        "created": container["Created"],
        "addresses": [address for address in addresses if address],
        "image": container["Config"]["Image"],
        "metadata": container["Config"].get("Labels") or {},
        "fault": fault,
    }


def create(request):
    """Makes a container, puts the script into it, starts it."""
    wanted = request["server"]
    spec = wanted["spec"]
    arguments = ["create", "--name", wanted["name"], "--hostname", wanted["name"][:63], "--init"]
    for key, value in wanted["metadata"].items():
        arguments += ["--label", f"{key}={value}"]
    arguments += limits(spec.get("size")) + options(spec.get("options", {}))
    networks = spec.get("networks", [])
    if len(networks) > 1:
        raise Failure(REFUSED, "networks: a container is made in one network, name one")
    for network in networks:
        arguments += ["--network", network]
    script = wanted.get("user_data")
    if script is not None:
        arguments += ["--entrypoint", f"/{SCRIPT}"]
    arguments.append(image(spec))
    made = docker(*arguments).split()
    if not made:
        raise Failure(NO_ANSWER, "docker create named no container")
    try:
        if script is not None:
            docker("cp", "-", f"{made[-1]}:/", data=archive(script))
        docker("start", made[-1])
    except Failure as failure:
        # What does not run is taken away again; where that fails, mita finds it by its labels.
        docker("rm", "--force", "--volumes", made[-1])
        if failure.code == NO_ANSWER:
            failure.code = REFUSED
        raise
    return {"id": made[-1]}


def image(spec):
    """The image; by name or by id, docker takes both."""
    name = spec.get("image_name") or spec.get("image_id")
    if not name or name.startswith("-"):
        raise Failure(REFUSED, "image_name: missing; write the image of the container")
    return name


def limits(size):
    """`size: {vcpus: 2, ram: 4096}`; without it a container has no limit."""
    if size is None:
        return []
    if not isinstance(size, dict):
        raise Failure(REFUSED, "size: a container has no named sizes, write {vcpus: 2, ram: 4096}")
    flags = []
    if size.get("vcpus"):
        flags.append(f"--cpus={size['vcpus']}")
    if size.get("ram"):
        flags.append(f"--memory={size['ram']}m")
    return flags


def options(wanted):
    """`options: {pull: missing, create: [--shm-size=1g]}`; by default an image must be there already."""
    unknown = sorted(set(wanted) - {"pull", "create"})
    if unknown:
        raise Failure(REFUSED, f"options: {', '.join(unknown)} is not known here, only pull and create are")
    more = wanted.get("create", [])
    if not isinstance(more, list) or not all(isinstance(flag, str) and flag.startswith("-") for flag in more):
        raise Failure(REFUSED, "options.create: must be a list of flags of docker create, each like --shm-size=1g")
    return [f"--pull={wanted.get('pull', 'never')}", *more]


def archive(script):
    """The script as a tar archive, so that it stands neither in a process list nor in an environment."""
    data = script.encode()
    entry = tarfile.TarInfo(SCRIPT)
    entry.size, entry.mode = len(data), 0o755
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def delete(request):
    """Removes a container, if it is the owner's."""
    ident = request["server"]["id"]
    labels = inspect([ident])[0]["Config"].get("Labels") or {}
    if labels.get("mita-owner") != request["owner"]:
        raise Failure(NOT_ALLOWED, f"container {ident} bears no mark of {request['owner']}")
    docker("rm", "--force", "--volumes", ident)
    return {}


def check(request):
    """What the templates name and the host does not have."""
    missing = []
    for template in request["templates"]:
        spec = template["spec"]
        try:
            name = image(spec)
            limits(spec.get("size"))
            pull = options(spec.get("options", {}))[0]
            if pull == "--pull=never":
                docker("image", "inspect", "--format", "{{.Id}}", name)
            for network in spec.get("networks", []):
                docker("network", "inspect", "--format", "{{.Id}}", network)
        except Failure as failure:
            if failure.code not in (REFUSED, NO_ANSWER):
                raise
            missing.append(f"nodes.{template['name']}: {failure}")
    return {"missing": missing}


def console(request):
    """The last lines that a container wrote."""
    lines = str(int(request["lines"]))
    return {"text": docker("logs", "--tail", lines, request["server"]["id"])}


VERBS = {"list": list_servers, "create": create, "delete": delete, "check": check, "console": console}


def main():
    """Answers one call."""
    verb = sys.argv[-1]
    if verb not in VERBS:
        raise Failure(UNKNOWN_VERB, f"{verb} is no verb that is known here")
    request = json.load(sys.stdin)
    if request.get("version") != 1:
        raise Failure(UNKNOWN_VERB, f"version {request.get('version')} of the protocol is not spoken here")
    json.dump(VERBS[verb](request), sys.stdout)
    print()


if __name__ == "__main__":
    try:
        main()
    except Failure as failed:
        print(failed, file=sys.stderr)
        sys.exit(failed.code)
