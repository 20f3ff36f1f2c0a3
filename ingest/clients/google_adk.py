"""Google's Agent Development Kit. It never exports the user."""

from ingest import fields
from ingest.client import Client

CLIENT = Client(
    rank=110,
    names={fields.SESSION: ("gcp.vertex.agent.session_id",)},
    contents=(r"gcp\.vertex\.agent\.(llm|tool|data)",),
)
