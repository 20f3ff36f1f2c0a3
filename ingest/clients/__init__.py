"""One file for each family of SDKs: how its spans are read. `ingest/client.py` defines the form of a file.

To add a client, add a file with a `CLIENT`, and the client to docs/clients.md. Every file of this folder is loaded.
"""

from importlib import import_module
from pkgutil import iter_modules

from ingest.client import Client


def load_clients() -> list[Client]:
    """Returns the `CLIENT` of each file in this folder, by rank."""
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    clients: list[Client] = [module.CLIENT for module in modules]
    return sorted(clients, key=lambda client: client.rank)
