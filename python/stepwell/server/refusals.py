"""The errors of requests that do not get in, with AWS's codes and texts."""

from __future__ import annotations

from stepwell.step_functions.errors import Fault

SERVICE = "com.amazon.coral.service#"
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


def wrong_host() -> Fault:
    """The header ``Host`` names another server."""
    return _forbidden(
        "AccessDeniedException",
        "The header Host names no host of this server. If clients know the server by this name, start it with "
        "--allowed-host NAME.",
    )


def other_site() -> Fault:
    """A browser sends it for a page of another site."""
    return _forbidden("AccessDeniedException", "Pages of other sites may not use this server.")


def missing() -> Fault:
    """Nothing signs the request."""
    return _forbidden("MissingAuthenticationTokenException", "Missing Authentication Token")


def incomplete(what: str) -> Fault:
    """The header ``Authorization``, or what belongs to it, cannot be read."""
    return _forbidden("IncompleteSignatureException", what)


def unknown_client() -> Fault:
    """No key or token of this server."""
    return _forbidden("UnrecognizedClientException", "The security token included in the request is invalid.")


def bad_signature(what: str = _MISMATCH) -> Fault:
    """A signature that is not the request's, or not of now."""
    return _forbidden("InvalidSignatureException", what)


def not_allowed(name: str, operation: str) -> Fault:
    """A read-only key asks for what changes something."""
    return Fault(
        "AccessDeniedException",
        f"{name} is not authorized to perform: states:{operation} because its key is read-only",
        namespace=SERVICE,
    )


def _forbidden(code: str, message: str) -> Fault:
    return Fault(code, message, status=403, namespace=SERVICE)
