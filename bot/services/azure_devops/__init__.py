"""Azure Pipelines: queue a run, watch it, keep it. Approving is left to people."""

from bot.services.azure_devops.azure_devops import AzureDevOps
from bot.services.azure_devops.errors import AzureRefused

__all__ = ["AzureDevOps", "AzureRefused"]
