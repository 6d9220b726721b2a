"""What may be read under /api/v1, said once: for the routes, the parameters and the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.api import pages, records
from reconciler.api.board import Surface
from reconciler.api.queries import Parameter, Query
from reconciler.status import summary, views
from reconciler.status.parts import Body, Connectivity, DomainStatus, Overall
from reconciler.status.presenting import doctor, plans
from reconciler.status.presenting.picture import Picture
from reconciler.status.records import DeploymentStatus

FromPicture = Callable[[Picture, Query], Body]
FromSurface = Callable[[Surface, Picture, Query], Body]

LIMIT = Parameter("limit", "How many at most.", minimum=1, maximum=500, default=100)
CURSOR = Parameter("cursor", "The nextCursor of the page before.")
PROJECT = Parameter("project", "Only of this project.")
ENVIRONMENT = Parameter("environment", "Only in this environment.")
HEALTH = Parameter("health", "Only with this health.", choices=tuple(Overall))
KIND = Parameter("kind", "Only of this kind.")
RESOURCE = Parameter("resource", "Only of the resource of this name.")
IN = Parameter("environment", "Which one, where the resource is in several.")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``build`` makes the body. A ``live`` one depends on more than what is published (the ledger, measured facts): it
    is built for every request; the others once for each serial and query."""

    path: str
    summary: str
    model: type[Body]
    build: FromPicture | FromSurface
    parameters: tuple[Parameter, ...] = ()
    live: bool = False
    stream: bool = False  # also served as server-sent events


SCOPE = (PROJECT, ENVIRONMENT)
PAGE = (LIMIT, CURSOR)


def _doctor(surface: Surface, picture: Picture, _query: Query) -> Body:
    return doctor.view(picture, surface.facts())


def _plan(picture: Picture, query: Query) -> Body:
    return plans.view(picture, project=query.text("project"), environment=query.text("environment"))


def _status(picture: Picture, query: Query) -> Body:
    return summary.view(picture, project=query.text("project"), environment=query.text("environment"))


SNAPSHOTS = (
    Endpoint("/api/v1/status", "Everything on one screen, worst first", views.StatusView, _status, SCOPE),
    Endpoint("/api/v1/projects", "Projects", views.Projects, pages.projects, (HEALTH, *PAGE)),
    Endpoint("/api/v1/projects/{name}", "One project", views.ProjectView, pages.project),
    Endpoint(
        "/api/v1/environments", "Environments", views.Environments, pages.environments, (PROJECT, HEALTH, *PAGE)
    ),
    Endpoint(
        "/api/v1/environments/{project}/{name}", "One environment", views.EnvironmentView, pages.environment
    ),
    Endpoint(
        "/api/v1/resources", "Resources in their environments", views.Resources, pages.resources,
        (*SCOPE, KIND, HEALTH, *PAGE),
    ),
    Endpoint(
        "/api/v1/resources/{project}/{name}", "One resource in one environment", views.ResourceView, pages.resource,
        (IN,),
    ),
    Endpoint(
        "/api/v1/domains", "Domains, where they lead, and what stands in the way", views.Domains, pages.domains,
        (*SCOPE, Parameter("status", "Only in this state.", choices=tuple(DomainStatus)), *PAGE),
    ),
    Endpoint(
        "/api/v1/domains/{project}/{name}", "One domain in one environment", views.DomainView, pages.domain, (IN,)
    ),
    Endpoint(
        "/api/v1/certificates", "Certificates: metadata only", views.Certificates, pages.certificates, (*SCOPE, *PAGE)
    ),
    Endpoint(
        "/api/v1/certificates/{project}/{name}", "One certificate in one environment", views.CertificateView,
        pages.certificate, (IN,),
    ),
    Endpoint(
        "/api/v1/servers", "Servers and clusters", views.Servers, pages.servers,
        (Parameter("status", "Only with this connectivity.", choices=tuple(Connectivity)), *PAGE),
    ),
    Endpoint("/api/v1/servers/{name}", "One server or cluster", views.ServerView, pages.server),
    Endpoint("/api/v1/plan", "What may be done now, waits, blocks, gates", views.PlanView, _plan, SCOPE),
    Endpoint("/api/v1/drift", "What differs from what is declared", views.DriftItems, pages.drift, (*SCOPE, *PAGE)),
    Endpoint("/api/v1/sources", "Where manifests come from", views.Sources, pages.sources, PAGE),
    Endpoint(
        "/api/v1/work", "The queue of units", views.Work, pages.work,
        (Parameter("status", "Only in this state.", choices=pages.WORK_STATES), *PAGE),
    ),
)  # fmt: skip

RECORDS = (
    Endpoint("/api/v1/doctor", "What is wrong, with remedies", views.DoctorView, _doctor, live=True),
    Endpoint(
        "/api/v1/deployments", "Rollouts, newest first", views.Deployments, records.deployments,
        (*SCOPE, RESOURCE, Parameter("status", "Only in this state.", choices=tuple(DeploymentStatus)), *PAGE),
        live=True,
    ),
    Endpoint(
        "/api/v1/deployments/{id}", "One rollout, with what was applied", views.DeploymentView, records.deployment,
        live=True,
    ),
    Endpoint(
        "/api/v1/events", "What happened, newest first; server-sent events when asked for text/event-stream",
        views.Events, records.events,
        (
            *SCOPE, KIND, RESOURCE, Parameter("type", "Only of this type."),
            Parameter("since", "Only at or after this time (epoch seconds).", maximum=10**12, default=0), LIMIT,
            Parameter("cursor", "The nextCursor of the page before.", pattern="[0-9]{1,18}"),
        ),
        live=True, stream=True,
    ),
    Endpoint(
        "/api/v1/resources/{project}/{name}/logs", "What its instances print; server-sent events with follow=true",
        views.LogsView, records.logs,
        (
            IN, Parameter("tail", "How many of the last lines of each instance.", maximum=1000, default=100),
            Parameter("release", "Only of the release or generation that begins so.", pattern="[0-9a-f+]{1,77}"),
            Parameter("follow", "Go on as new lines come.", choices=("true", "false"), default="false"),
        ),
        live=True, stream=True,
    ),
)  # fmt: skip

ENDPOINTS = (*SNAPSHOTS, *RECORDS)
