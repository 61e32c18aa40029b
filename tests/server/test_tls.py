"""HTTPS: the certificate of ``--tls-cert`` and its key."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .support import SECONDS, serving
from .test_exposure import refused


class Files(NamedTuple):
    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A certificate that signs itself, for 127.0.0.1."""
    return make(tmp_path_factory.mktemp("tls"))


def make(folder: Path, password: bytes | None = None) -> Files:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stepwell")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = Files(folder / "certificate.pem", folder / "key.pem")
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.touch(0o600)
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    files.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
    return files


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_boto3_speaks_https_with_keys(files: Files, tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.touch(0o600)
    credentials.write_text("[a]\naws_access_key_id = AKIA\naws_secret_access_key = 0123456789abcdef\n")
    tls = ("--tls-cert", str(files.certificate), "--tls-key", str(files.key))
    with serving("--host", "0.0.0.0", "--credentials", str(credentials), *tls) as served:
        assert served.url.startswith("https://")
        sfn = boto3.client(
            "stepfunctions",
            endpoint_url=served.url.replace("0.0.0.0", "127.0.0.1"),
            region_name="us-east-1",
            aws_access_key_id="AKIA",
            aws_secret_access_key="0123456789abcdef",
            verify=str(files.certificate),
            config=Config(inject_host_prefix=False, retries={"max_attempts": 0}),
        )
        assert sfn.list_state_machines()["stateMachines"] == []
        where = urlsplit(served.url)
        for version, is_served in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)):
            assert handshakes("127.0.0.1", where.port or 0, version) == is_served


def handshakes(host: str, port: int, version: ssl.TLSVersion) -> bool:
    """Whether the server accepts a version of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = min(version, ssl.TLSVersion.TLSv1_2), version
    with socket.create_connection((host, port), timeout=SECONDS) as plain:
        try:
            context.wrap_socket(plain).close()
        except ssl.SSLError:
            return False
    return True


def test_what_is_no_certificate_is_told(files: Files, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = make(tmp_path)
    cert, key = str(files.certificate), str(files.key)
    assert "are no certificate and its key" in refused("--tls-cert", cert, "--tls-key", str(other.key))
    assert "are no certificate and its key" in refused("--tls-cert", key, "--tls-key", key)
    assert "cannot read" in refused("--tls-cert", str(tmp_path / "nothing"), "--tls-key", key)
    assert "belong together" in refused("--tls-cert", cert)
    other.key.chmod(0o644)
    assert "chmod 600" in refused("--tls-cert", cert, "--tls-key", str(other.key))
    encrypted = make(tmp_path_factory.mktemp("encrypted"), b"password")
    assert "is encrypted" in refused("--tls-cert", str(encrypted.certificate), "--tls-key", str(encrypted.key))
