# SPDX-License-Identifier: Apache-2.0
"""Addresses of this machine for the tests' own servers."""
import socket


def family_of(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def in_url(host):
    return f"[{host}]" if ":" in host else host


def free_port(host="127.0.0.1"):
    with socket.create_server((host, 0), family=family_of(host)) as probe:
        return probe.getsockname()[1]


def is_open(port, host="127.0.0.1"):
    with socket.socket(family_of(host)) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
