"""The part specific to this provider: tokens in a file."""

import base64
import datetime
import json
import math
import os
import re
import stat
import time

from errors import Failure
from serve import identity_pb, provider_pb, token_pb, types_pb

MAX_FILE = 1 << 20
ACCESSES = {types_pb.ACCESS_UNSPECIFIED: "rw", types_pb.ACCESS_READ_WRITE: "rw", types_pb.ACCESS_READ_ONLY: "ro"}


class TokenFile:
    path = ""

    def describe(self):
        return provider_pb.DescribeResponse(
            name="tokenfile-py",
            version="1.0.0",
            summary="database tokens from a file, in Python",
            services=["zen.provider.v1.Identity", "zen.provider.v1.TokenSource"],
            fields=[
                provider_pb.Field(
                    key="path",
                    type=provider_pb.FIELD_TYPE_STRING,
                    required=True,
                    doc='the file, absolute, of mode 0600: JSON, {"libsql://db.example": {"rw": TOKEN, "ro": TOKEN}}',
                )
            ],
            methods=[provider_pb.Method(name="file", doc="with what is in the file; nothing is asked")],
        )

    def configure(self, settings):
        if not os.path.isabs(settings.get("path", "")):
            raise Failure("CONFIG", "tokenfile-py: path is not an absolute path", "write the whole path, from the root")
        self.path = settings["path"]
        return provider_pb.ConfigureResponse()

    def check(self):
        try:
            n = len(self.read())
        except Failure as failure:
            yield provider_pb.Finding(
                id="file", severity=provider_pb.SEVERITY_ERROR, text=failure.message, hint=failure.hint
            )
        else:
            yield provider_pb.Finding(id="file", severity=provider_pb.SEVERITY_OK, text=f"tokens for {n} databases")

    def login(self, begin, host):
        """There is no one to sign in: it checks that the file has the requested token."""
        if begin.method not in ("", "file"):
            raise Failure("CONFIG", "tokenfile-py: no such method", "the method is file")
        access_of(begin.access)
        host.progress("reading the file")
        sign_in = identity_pb.SignIn()
        sign_in.credential.data = b'{"v":1}'
        sign_in.credential.subject = os.path.basename(self.path)
        sign_in.credential.issued.FromSeconds(int(time.time()))
        if begin.target.url:
            sign_in.token.CopyFrom(self.find(begin.target, begin.access, begin.permissions))
            if sign_in.token.HasField("expires"):
                sign_in.credential.expires.CopyFrom(sign_in.token.expires)
        host.store(sign_in)

    def refresh(self, request):
        self.read()
        return identity_pb.RefreshResponse(credential=request.credential)

    def verify(self, request):
        """Only the database can tell whether a token in the file is valid."""
        raise Failure("TOKEN_INVALID", "tokenfile-py: it has no keys to check a token with")

    def revoke(self, request):
        return identity_pb.RevokeResponse()

    def token(self, request):
        return token_pb.TokenResponse(token=self.find(request.target, request.access, request.permissions))

    def read(self):
        """Reads the file each time, because the program that writes it replaces the tokens."""
        if not self.path:
            raise Failure("CONFIG", "tokenfile-py: not configured", "set path")
        try:
            with open(self.path, "rb") as file:
                status = os.fstat(file.fileno())
                if os.name != "nt" and stat.S_IMODE(status.st_mode) & 0o077:
                    raise Failure("CONFIG", f"tokenfile-py: {self.path} can be read by others", f"chmod 600 {self.path}")
                if status.st_size > MAX_FILE:
                    raise Failure("CONFIG", f"tokenfile-py: {self.path} is too large")
                databases = json.load(file)
        except OSError as error:
            raise Failure("CONFIG", f"tokenfile-py: the file can't be read: {error.strerror}: {self.path}") from None
        except ValueError:  # the error quotes the file
            databases = None
        if not isinstance(databases, dict):
            raise Failure("CONFIG", f"tokenfile-py: {self.path} is not JSON of databases and their tokens")
        return databases

    def find(self, target, access, permissions):
        """Returns the token for a database. One for rw is never returned for ro."""
        kind, databases = access_of(access), self.read()
        if permissions:
            raise Failure("PERMISSION", "tokenfile-py: a token in a file can't be narrowed to permissions")
        tokens = databases.get(target.url)
        value = tokens.get(kind) if isinstance(tokens, dict) else None
        if not value:
            raise Failure("NO_CREDENTIAL", f"tokenfile-py: {self.path} has no {kind} token for {target.url}")
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9\-._~+/=]{1,16384}", value):
            raise Failure("TOKEN_INVALID", f"tokenfile-py: what {self.path} has for {target.url} is no token")
        token = types_pb.Token(value=value.encode())
        expires = expiry(value)
        if expires is not None:
            if expires <= time.time():
                at = datetime.datetime.fromtimestamp(expires, datetime.timezone.utc).isoformat()
                raise Failure("TOKEN_EXPIRED", f"tokenfile-py: the token for {target.url} expired at {at}")
            token.expires.FromSeconds(int(expires))
        return token


def access_of(access):
    """Refuses an unknown access, since it may mean less than any known one."""
    if access not in ACCESSES:
        raise Failure(
            "CONFIG", "tokenfile-py: an access that is unknown to this provider", "use a newer version of the provider"
        )
    return ACCESSES[access]


def expiry(token):
    """The claim exp of a JWT, unverified, or None."""
    parts = token.split(".")
    if len(parts) < 3:
        return None
    try:
        exp = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))["exp"]
    except (ValueError, KeyError, TypeError):
        return None
    # The last second that a date has.
    return exp if isinstance(exp, (int, float)) and math.isfinite(exp) and abs(exp) < 253402300800 else None
