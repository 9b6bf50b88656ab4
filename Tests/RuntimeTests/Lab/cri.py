"""What a kubelet asks of a container runtime, as far as networks are concerned.

cri.py SOCKET run NAME    makes a pod and prints its ID
cri.py SOCKET status ID   prints its addresses
cri.py SOCKET stop ID     takes its network away
cri.py SOCKET remove ID   takes the rest away
cri.py SOCKET ready       fails while the network is not ready

The messages of the Container Runtime Interface are few and small, so they are written here field
by field: the numbers are those of api.proto, runtime.v1.
"""
import sys

import grpc


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, value):
    """A text, or a message already encoded."""
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def fields(data):
    """All fields of a message: number, and bytes or integer."""
    place = 0

    def number():
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    found = []
    while place < len(data):
        key = number()
        if key & 7 == 0:
            found.append((key >> 3, number()))
        elif key & 7 == 2:
            length = number()
            found.append((key >> 3, data[place : place + length]))
            place += length
        else:
            raise ValueError(f"wire type {key & 7}")
    return found


def first(data, number):
    return next((value for key, value in fields(data) if key == number), b"")


def ask(channel, method, request):
    call = channel.unary_unary("/runtime.v1.RuntimeService/" + method)
    return call(request, timeout=60)


def pod(name):
    metadata = field(1, name) + field(2, "uid-" + name) + field(3, "default")
    http = varint(2 << 3) + varint(80) + varint(3 << 3) + varint(8080)
    return (
        field(1, metadata)
        + field(2, name)
        + field(3, "/run/lab/pods")
        + field(5, http)
        + field(8, b"")
    )


def main(socket, verb, *rest):
    with grpc.insecure_channel("unix://" + socket) as channel:
        if verb == "run":
            print(first(ask(channel, "RunPodSandbox", field(1, pod(rest[0]))), 1).decode())
        elif verb == "stop":
            ask(channel, "StopPodSandbox", field(1, rest[0]))
        elif verb == "remove":
            ask(channel, "RemovePodSandbox", field(1, rest[0]))
        elif verb == "status":
            status = first(ask(channel, "PodSandboxStatus", field(1, rest[0])), 1)
            network = first(status, 5)
            print(first(network, 1).decode())
            for key, value in fields(network):
                if key == 2:
                    print(first(value, 1).decode())
        elif verb == "ready":
            conditions = [value for key, value in fields(first(ask(channel, "Status", b""), 1)) if key == 1]
            ready = {first(value, 1).decode(): first(value, 2) for value in conditions}
            sys.exit(0 if ready.get("NetworkReady") == 1 else str(ready))
        else:
            sys.exit(__doc__)


main(*sys.argv[1:])
