# SPDX-License-Identifier: Apache-2.0
"""An RTMP server behind TLS, with certificates of an authority that this machine does not know."""
import pytest
from rtmp_servers import NginxRtmp
from tls_front import TlsFront, certificates


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return certificates(tmp_path_factory.mktemp("tls") / "certificates")


@pytest.fixture
def tls(start, tmp_path, made):
    """nginx behind a front that shows one certificate per name: localhost's and this machine's."""
    nginx = NginxRtmp(start, tmp_path / "nginx")
    front = TlsFront(nginx.port, made)
    front.nginx, front.made = nginx, made
    yield front
    front.close()
