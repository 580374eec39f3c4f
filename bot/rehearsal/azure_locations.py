"""Where everything of Azure DevOps lies: what it answers to OPTIONS, and where its areas are.

The ids are the service's own, as its clients know them: https://github.com/microsoft/azure-devops-python-api.
"""

from bot.rehearsal.azure_model import JsonObject

_LOCATIONS = (
    ("e81700f7-3be2-46de-8624-2eb35882fcaa", "Location", "ResourceAreas", "_apis/{resource}/{areaId}", False),
    ("dbeaf647-6167-421a-bda9-c9327b25e2e6", "build", "definitions", "{project}/_apis/{area}/{resource}/{definitionId}", True),
    ("0cd358e1-9217-4d94-8269-1c1ee6f93dcf", "build", "builds", "{project}/_apis/{area}/{resource}/{buildId}", True),
    ("8baac422-4c6e-4de5-8532-db96d92acffa", "build", "timeline", "{project}/_apis/{area}/builds/{buildId}/{resource}/{timelineId}", True),
    ("1db06c96-014e-44e1-ac91-90b2d4b3e984", "build", "artifacts", "{project}/_apis/{area}/builds/{buildId}/{resource}", True),
    ("b8aac6c9-744b-46e1-88fc-3550969f9313", "build", "stages", "{project}/_apis/{area}/builds/{buildId}/{resource}/{stageRefName}", True),
    ("6e6114b2-8161-44c8-8f6c-c5505782427f", "build", "tags", "{project}/_apis/{area}/builds/{buildId}/{resource}/{*tag}", True),
    ("272051e4-9af1-45b5-ae22-8d960a5539d4", "build", "leases", "{project}/_apis/{area}/retention/{resource}/{leaseId}", True),
    ("7859261e-d2e9-4a68-b820-a5d84cc5bb3d", "pipelines", "runs", "{project}/_apis/{area}/{pipelineId}/{resource}/{runId}", True),
    ("53df2d18-29ea-46a9-bee0-933540f80abf", "pipelines", "preview", "{project}/_apis/{area}/{pipelineId}/{resource}", True),
    ("37794717-f36f-4d78-b2bf-4dc30d0cfbcd", "pipelines", "approvals", "{project}/_apis/{area}/{resource}/{approvalId}", True),
)

_AREAS = {"build": "965220d5-5bb9-42cf-8d67-9b146df2a5a4", "core": "79134c72-4a58-4b42-976c-04e7115f32bf"}


def locations() -> list[JsonObject]:
    """Return where each resource lies, and in which versions."""
    return [
        {
            "id": id_,
            "area": area,
            "resourceName": resource,
            "routeTemplate": route,
            "resourceVersion": 1,
            "minVersion": "1.0",
            "maxVersion": "7.2",
            "releasedVersion": "7.1" if released else "0.0",
        }
        for id_, area, resource, route, released in _LOCATIONS
    ]


def areas(organization: str) -> list[JsonObject]:
    """Return where each area lies: here all in the organisation itself."""
    return [{"id": id_, "name": name, "locationUrl": f"{organization}/"} for name, id_ in _AREAS.items()]
