"""The part that all providers share: docs/provider-protocol.md in code."""

import base64
import datetime
import json
import os
import sys
import threading
import time
import traceback
from concurrent import futures

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from errors import Failure, abort
from login import serve_login

MAX_MESSAGE = 1 << 20

# The .proto files are beside this file, or in the repository.
_here = os.path.dirname(os.path.realpath(__file__))
for _dir in (_here, os.path.join(_here, "../../proto")):
    if os.path.exists(os.path.join(_dir, "zen/provider/v1/provider.proto")):
        sys.path.insert(0, _dir)
        break
provider_pb, identity_pb, token_pb, types_pb = (
    grpc.protos(f"zen/provider/v1/{name}.proto") for name in ("provider", "identity", "token", "types")
)


def log(level, message, **fields):
    """Writes a line that zen shows with --debug."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="microseconds")
    line = {"@level": level, "@message": message, "@timestamp": now.replace("+00:00", "Z"), **fields}
    print(json.dumps(line), file=sys.stderr, flush=True)


def fail(context, error):
    if not isinstance(error, Failure):
        # Where, and not what: the text of an error may have a secret in it.
        log("error", "unexpected error", stack="".join(traceback.format_tb(error.__traceback__)))
    abort(context, error)


def service(name, **methods):
    return grpc.method_handlers_generic_handler(name, methods)


def unary(method, request, response):
    def handle(message, context):
        try:
            return method(message)
        except Exception as error:
            fail(context, error)

    return grpc.unary_unary_rpc_method_handler(handle, request.FromString, response.SerializeToString)


def check(provider):
    def handle(_, context):
        try:
            for finding in provider.check():
                yield provider_pb.CheckResponse(finding=finding)
        except Exception as error:
            fail(context, error)

    return grpc.unary_stream_rpc_method_handler(
        handle, provider_pb.CheckRequest.FromString, provider_pb.CheckResponse.SerializeToString
    )


def raw(reply):
    """A unary method whose messages are bytes: enough for those of the transport."""
    return grpc.unary_unary_rpc_method_handler(lambda message, context: reply())


def shut_down():
    threading.Timer(0.02, os._exit, (0,)).start()  # for the answer to get out
    return b""


def self_signed():
    """A key and a certificate for localhost, for one start."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "zen provider")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, certificate


def serve(provider):
    client_certificate, directory = os.environ["PLUGIN_CLIENT_CERT"], os.environ["PLUGIN_UNIX_SOCKET_DIR"]
    parent = os.getppid()
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=64),
        options=(("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE)),
    )
    server.add_generic_rpc_handlers((
        service(
            "zen.provider.v1.Provider",
            Describe=unary(lambda _: provider.describe(), provider_pb.DescribeRequest, provider_pb.DescribeResponse),
            Configure=unary(
                lambda m: provider.configure(dict(m.settings)), provider_pb.ConfigureRequest, provider_pb.ConfigureResponse
            ),
            Check=check(provider),
        ),
        service(
            "zen.provider.v1.Identity",
            Login=grpc.stream_stream_rpc_method_handler(
                serve_login(identity_pb, provider.login, fail),
                identity_pb.LoginRequest.FromString,
                identity_pb.LoginResponse.SerializeToString,
            ),
            Refresh=unary(provider.refresh, identity_pb.RefreshRequest, identity_pb.RefreshResponse),
            Verify=unary(provider.verify, identity_pb.VerifyRequest, identity_pb.VerifyResponse),
            Revoke=unary(provider.revoke, identity_pb.RevokeRequest, identity_pb.RevokeResponse),
        ),
        service("zen.provider.v1.TokenSource", Token=unary(provider.token, token_pb.TokenRequest, token_pb.TokenResponse)),
        # HealthCheckResponse{status: SERVING} and Empty, as bytes.
        service("grpc.health.v1.Health", Check=raw(lambda: b"\x08\x01")),
        service("plugin.GRPCController", Shutdown=raw(shut_down)),
    ))
    key, certificate = self_signed()
    credentials = grpc.ssl_server_credentials(
        [(key, certificate.public_bytes(serialization.Encoding.PEM))],
        root_certificates=client_certificate.encode(),
        require_client_auth=True,
    )
    socket = os.path.join(directory, "s")
    server.add_secure_port("unix:" + socket, credentials)
    server.start()
    # Version 1 is the only one that this provider speaks, whatever zen offers.
    der = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode().rstrip("=")
    print(f"1|1|unix|{socket}|grpc|{der}", flush=True)

    # On Linux the kernel ends this process with zen; elsewhere it checks its parent.
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
