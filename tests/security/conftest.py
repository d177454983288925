"""What is attacked: real servers, and a provider that keeps what is sent."""

from lsp.conftest import environment, provider, workspace

__all__ = ["environment", "provider", "workspace"]
