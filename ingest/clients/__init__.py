"""One file for each family of SDKs: how its spans are read. `ingest/client.py` says what can stand in a file.

To add a client, add a file with a `CLIENT`, and the client to docs/clients.md. Nothing lists the files: all are found.
"""

from importlib import import_module
from pkgutil import iter_modules

from ingest.client import Client


def discovered() -> list[Client]:
    """The `CLIENT` of each file in this folder, by rank."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    clients: list[Client] = [module.CLIENT for module in modules]
    return sorted(clients, key=lambda client: client.rank)
