"""Why a connection to Asterisk could not be set up. Every other outcome is a value (`Reply`).

SetupError                 what to do about it is the text of the exception; `reason` names it in metrics
  UnreachableError                nothing answered
  NoAnswerError                   the connection was closed, or nothing came in time
  CredentialsError             401
  ReadOnlyUserError               403
  NoAriError                      404
  NotReadyError                   503
  RefusedError             any other status
  ModuleError                a module that we cannot do without is not loaded
  VersionError               older than 22.7, or no version at all
"""


class SetupError(Exception):
    """Set-up failed; the router waits and tries again."""

    reason = "refused"
    advice = ""

    def __init__(self, url: str, detail: str) -> None:
        self.detail = detail
        super().__init__(f"{url}: {detail}. {self.advice}".rstrip())


class UnreachableError(SetupError):
    reason = "unreachable"
    advice = (
        "Is Asterisk running, and do bindaddr and bindport in http.conf (enabled=yes) match this address?"
    )


class NoAnswerError(SetupError):
    reason = "no_answer"
    advice = (
        "Asterisk took the connection and did not answer: it is overloaded, or at http.conf's sessionlimit "
        "(100 by default, websockets count; it then closes connections without a word)."
    )


class CredentialsError(SetupError):
    reason = "credentials"
    advice = "The name or password is not one of ari.conf."


class ReadOnlyUserError(SetupError):
    reason = "read_only"
    advice = "The user needs read_only=no in ari.conf."


class NoAriError(SetupError):
    reason = "no_ari"
    advice = "There is no ARI at this address: check ari.conf (enabled), http.conf (prefix), res_ari."


class NotReadyError(SetupError):
    reason = "not_ready"
    advice = "Asterisk is still starting or is shutting down."


class RefusedError(SetupError):
    reason = "status"
    advice = "Asterisk's log says more."


class VersionError(SetupError):
    reason = "version"
    advice = "callrouter needs Asterisk 22.7 or newer."


class ModuleError(SetupError):
    reason = "module"
    advice = "Load it by modules.conf; a full installation has it."


BY_STATUS: dict[int, type[SetupError]] = {
    401: CredentialsError,
    403: ReadOnlyUserError,
    404: NoAriError,
    503: NotReadyError,
}
