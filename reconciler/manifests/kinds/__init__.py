"""Every kind that can be written, by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.manifests.kinds.approval import ApprovalSpec
from reconciler.manifests.kinds.base import Model, Spec
from reconciler.manifests.kinds.data import BackupPolicySpec, BackupRepositorySpec, DependencySpec
from reconciler.manifests.kinds.domain import CertificateSpec, DomainSpec
from reconciler.manifests.kinds.features import landed
from reconciler.manifests.kinds.metadata import GlobalMetadata, ProjectMetadata
from reconciler.manifests.kinds.origin import SourceSpec
from reconciler.manifests.kinds.policies import (
    AuditArchiveSpec,
    LegalHoldSpec,
    MonitoringThresholdSpec,
    NotificationSpec,
    PrunePolicySpec,
    RetentionPolicySpec,
)
from reconciler.manifests.kinds.preview import PreviewPolicySpec
from reconciler.manifests.kinds.project import EnvironmentSpec, ProjectSpec
from reconciler.manifests.kinds.requests import (
    BackupRequestSpec,
    LogArchiveRequestSpec,
    PruneRequestSpec,
    RestoreRequestSpec,
    TaskRunRequestSpec,
    VolumeCleanupRequestSpec,
)
from reconciler.manifests.kinds.resource import ResourceSpec
from reconciler.manifests.kinds.sandbox import AgentSandboxSpec, TemplateSpec
from reconciler.manifests.kinds.target import ClusterSpec, CredentialSpec, ServerSpec
from reconciler.manifests.kinds.tasks import ScheduledTaskSpec
from reconciler.manifests.kinds.volume import VolumeSpec


@dataclass(frozen=True, slots=True)
class KindInfo:
    """One kind: the model of its ``spec``, its plural as paths say it, its scope, and the feature it waits for."""

    name: str
    model: type[Spec]
    plural: str
    scope: Literal["project", "global"] = "project"
    feature: str = ""

    @property
    def supported(self) -> bool:
        """Whether this version does anything with it."""
        return landed(self.feature)

    @property
    def metadata(self) -> type[Model]:
        """The model of its ``metadata``."""
        return ProjectMetadata if self.scope == "project" else GlobalMetadata


_ALL = (
    KindInfo("Project", ProjectSpec, "projects", "global"),
    KindInfo("Environment", EnvironmentSpec, "environments"),
    KindInfo("Source", SourceSpec, "sources", "global", "sources"),
    KindInfo("Server", ServerSpec, "servers", "global"),
    KindInfo("Cluster", ClusterSpec, "clusters", "global", "kubernetes"),
    KindInfo("Credential", CredentialSpec, "credentials", "global", "credentials"),
    KindInfo("Resource", ResourceSpec, "resources"),
    KindInfo("Dependency", DependencySpec, "dependencies", feature="dependencies"),
    KindInfo("Volume", VolumeSpec, "volumes"),
    KindInfo("Domain", DomainSpec, "domains", feature="edge"),
    KindInfo("Certificate", CertificateSpec, "certificates", feature="certificates"),
    KindInfo("ScheduledTask", ScheduledTaskSpec, "scheduledtasks", feature="tasks"),
    KindInfo("BackupRepository", BackupRepositorySpec, "backuprepositories", "global", "backups"),
    KindInfo("BackupPolicy", BackupPolicySpec, "backuppolicies", feature="backups"),
    KindInfo("BackupRequest", BackupRequestSpec, "backuprequests", feature="backups"),
    KindInfo("RestoreRequest", RestoreRequestSpec, "restorerequests", feature="backups"),
    KindInfo("TaskRunRequest", TaskRunRequestSpec, "taskrunrequests", feature="tasks"),
    KindInfo("PruneRequest", PruneRequestSpec, "prunerequests", "global", "prune"),
    KindInfo("VolumeCleanupRequest", VolumeCleanupRequestSpec, "volumecleanuprequests", feature="prune"),
    KindInfo("LogArchiveRequest", LogArchiveRequestSpec, "logarchiverequests", feature="log-archives"),
    KindInfo("PrunePolicy", PrunePolicySpec, "prunepolicies", "global", "prune"),
    KindInfo("RetentionPolicy", RetentionPolicySpec, "retentionpolicies", "global", "retention"),
    KindInfo("LegalHold", LegalHoldSpec, "legalholds", "global", "retention"),
    KindInfo("AuditArchive", AuditArchiveSpec, "auditarchives", "global", "retention"),
    KindInfo("MonitoringThreshold", MonitoringThresholdSpec, "monitoringthresholds", "global", "monitoring"),
    KindInfo("Notification", NotificationSpec, "notifications", "global", "notifications"),
    KindInfo("PreviewPolicy", PreviewPolicySpec, "previewpolicies", feature="previews"),
    KindInfo("Template", TemplateSpec, "templates", "global", "templates"),
    KindInfo("AgentSandbox", AgentSandboxSpec, "sandboxes", feature="sandboxes"),
    KindInfo("Approval", ApprovalSpec, "approvals", "global"),
)
KINDS: Mapping[str, KindInfo] = {info.name: info for info in _ALL}
