// The contract's errors, and their encoding: a gRPC status with a google.rpc.ErrorInfo in
// its details.
'use strict';

const { Metadata, status } = require('@grpc/grpc-js');

const codes = {
  NO_CREDENTIAL: status.UNAUTHENTICATED,
  TOKEN_EXPIRED: status.UNAUTHENTICATED,
  TOKEN_INVALID: status.UNAUTHENTICATED,
  REJECTED: status.UNAUTHENTICATED,
  PERMISSION: status.PERMISSION_DENIED,
  UNAVAILABLE: status.UNAVAILABLE,
  CONFIG: status.FAILED_PRECONDITION,
  NO_PROVIDER: status.NOT_FOUND,
  CANCELED: status.CANCELLED,
  OTHER: status.UNKNOWN,
};

// Failure is an error that the person may read: a reason of the contract, one line
// without a secret, and what to do about it.
class Failure extends Error {
  constructor(reason, message, hint = '') {
    super(message);
    this.reason = reason;
    this.hint = hint;
  }
}

// bytes is a protobuf field of bytes, a string or a message.
function bytes(field, value) {
  const data = Buffer.from(value);
  const length = [];
  let n = data.length;
  for (; n > 0x7f; n >>>= 7) length.push((n & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...length, n]), data]);
}

// statusOf returns the error of a handler. The text of anything but a Failure is not
// passed on, since it may contain a secret.
function statusOf(error) {
  const failure = error instanceof Failure ? error : new Failure('OTHER', 'the provider failed in a way that it did not expect');
  const code = codes[failure.reason];
  const info = [bytes(1, failure.reason), bytes(2, 'zen.provider.v1')];
  if (failure.hint) info.push(bytes(3, Buffer.concat([bytes(1, 'hint'), bytes(2, failure.hint)])));
  const any = [bytes(1, 'type.googleapis.com/google.rpc.ErrorInfo'), bytes(2, Buffer.concat(info))];
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.concat([
    Buffer.from([0x08, code]), bytes(2, failure.message), bytes(3, Buffer.concat(any)),
  ]));
  return { code, details: failure.message, metadata };
}

module.exports = { Failure, statusOf };
