"""All resources of the API, in the order in which the document has them."""

from router.edge.web.api import (
    agents,
    calls,
    contacts,
    donotcontact,
    events,
    explain,
    live,
    messages,
    numbers,
    obligations,
    queues,
    rules,
    tags,
)
from router.edge.web.api.routes import Resource

RESOURCES: tuple[Resource, ...] = (
    calls.RESOURCE,
    live.RESOURCE,
    tags.RESOURCE,
    queues.RESOURCE,
    agents.RESOURCE,
    messages.RESOURCE,
    obligations.RESOURCE,
    contacts.RESOURCE,
    donotcontact.RESOURCE,
    numbers.RESOURCE,
    explain.RESOURCE,
    rules.RESOURCE,
    events.RESOURCE,
)
