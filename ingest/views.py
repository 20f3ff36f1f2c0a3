from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ingest import traces, writer
from ingest.body import read_body
from observability.problems import Problem
from workspaces.access import WorkspaceRequest, workspace_access


@csrf_exempt
@require_POST
@workspace_access("ingest")
def json_traces(request: WorkspaceRequest) -> HttpResponse:
    if not traces.is_json(request):
        raise Problem(415, "Send the traces as Content-Type: application/json.")
    rows, rejected = traces.rows_and_refusals(traces.items(read_body(request)))
    stored = writer.store(request.workspace.id, rows)
    return traces.json_response({"accepted": stored.accepted, "duplicates": stored.duplicates, "rejected": rejected})
