"""A name server: every name is at one address, but those that begin with "missing" are nowhere.

    dns.py ADDRESS ANSWER
"""

import socket
import sys


def reply(query, answer):
    """Answers a query that has one question."""
    end = 12
    while query[end]:
        end += 1 + query[end]
    question = query[12 : end + 5]
    kind = int.from_bytes(query[end + 1 : end + 3], "big")
    missing = query[13:20] == b"missing"
    records = b""
    if kind == 1 and not missing:
        records = b"\xc0\x0c\x00\x01\x00\x01" + (60).to_bytes(4, "big") + b"\x00\x04" + socket.inet_aton(answer)
    flags = b"\x81\x83" if missing else b"\x81\x80"
    counts = b"\x00\x01" + (b"\x00\x01" if records else b"\x00\x00") + b"\x00\x00\x00\x00"
    return query[:2] + flags + counts + question + records


def main():
    address, answer = sys.argv[1:]
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    print("ready", flush=True)
    while True:
        query, sender = server.recvfrom(512)
        server.sendto(reply(query, answer), sender)


main()
