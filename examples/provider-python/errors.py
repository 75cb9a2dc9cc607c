"""Errors of the contract, and how they travel: as a gRPC status with a
google.rpc.ErrorInfo in its details."""

import grpc

CODES = {
    "NO_CREDENTIAL": grpc.StatusCode.UNAUTHENTICATED,
    "TOKEN_EXPIRED": grpc.StatusCode.UNAUTHENTICATED,
    "TOKEN_INVALID": grpc.StatusCode.UNAUTHENTICATED,
    "REJECTED": grpc.StatusCode.UNAUTHENTICATED,
    "PERMISSION": grpc.StatusCode.PERMISSION_DENIED,
    "UNAVAILABLE": grpc.StatusCode.UNAVAILABLE,
    "CONFIG": grpc.StatusCode.FAILED_PRECONDITION,
    "NO_PROVIDER": grpc.StatusCode.NOT_FOUND,
    "CANCELED": grpc.StatusCode.CANCELLED,
    "OTHER": grpc.StatusCode.UNKNOWN,
}


class Failure(Exception):
    """An error that the person may read: a reason of the contract, one line without a
    secret, and what to do about it."""

    def __init__(self, reason, message, hint=""):
        super().__init__(message)
        self.reason = reason if reason in CODES else "OTHER"
        self.message = message
        self.hint = hint


def abort(context, error):
    """Ends a call. Only a Failure's text is passed on: others may have a secret."""
    if not isinstance(error, Failure):
        error = Failure("OTHER", "the provider failed in a way that it did not expect")
    code = CODES[error.reason]
    info = _bytes(1, error.reason) + _bytes(2, "zen.provider.v1")
    if error.hint:
        info += _bytes(3, _bytes(1, "hint") + _bytes(2, error.hint))
    detail = _bytes(1, "type.googleapis.com/google.rpc.ErrorInfo") + _bytes(2, info)
    status = bytes([0x08, code.value[0]]) + _bytes(2, error.message) + _bytes(3, detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status),))
    context.abort(code, error.message)


def _bytes(field, value):
    """A protobuf field of bytes, a string or a message."""
    data = value.encode() if isinstance(value, str) else value
    length, n = [], len(data)
    while n > 0x7F:
        length.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes([field << 3 | 2, *length, n]) + data
