"""Ports: those that a cluster needs and that another program may have, and those of its nodes."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from orchestrator.cluster.doctor.finding import Finding

OWN = {"--port": 6379, "--dashboard-port": 8265, "--metrics-export-port": 8080}
"""Of a head that is started here, by the option of ``ray start`` that changes it."""
SECONDS = 2.0


def check_own_ports(own: Mapping[str, int] = OWN) -> Finding:
    """Tell which ports of a head are taken here, which matters once a cluster is started here."""
    taken = {option: port for option, port in own.items() if answers("127.0.0.1", port)}
    if not taken:
        return Finding("ports", "ok", f"free: {', '.join(map(str, own.values()))}")
    found = f"in use: {', '.join(map(str, taken.values()))}"
    advice = (
        "if that is a Ray cluster, examine it with --address, "
        f"else start Ray here with another {' and '.join(taken)}"
    )
    return Finding("ports", "warn", found, advice)


def check_node_ports(host: str, ports: Mapping[str, int]) -> Finding:
    """Connect to the ports of a node, by what they are for, from the driver's node."""
    closed = {name: port for name, port in ports.items() if not answers(host, port)}
    if closed:
        told = ", ".join(f"{port} ({name})" for name, port in closed.items())
        found = f"the driver cannot connect to {host}: {told}"
        return Finding("ports", "fail", found, "open these ports between the machines")
    return Finding("ports", "ok", ", ".join(f"{name} {port}" for name, port in ports.items()))


def answers(host: str, port: int) -> bool:
    """Tell whether somebody listens on a port."""
    try:
        socket.create_connection((host, port), SECONDS).close()
    except OSError:
        return False
    return True
