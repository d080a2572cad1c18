import pytest
from django.test import RequestFactory

from athena.http.client_address import client_address


@pytest.mark.parametrize(
    ("hops", "peer", "forwarded", "address"),
    [
        (0, "203.0.113.7", None, "203.0.113.7"),
        (0, "203.0.113.7", "198.51.100.1", "203.0.113.7"),
        (1, "10.0.0.2", "198.51.100.1", "198.51.100.1"),
        (1, "10.0.0.2", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        (2, "10.0.0.2", "1.1.1.1, 198.51.100.1,10.0.0.3 ", "198.51.100.1"),
        (2, "10.0.0.2", "198.51.100.1", "10.0.0.2"),  # the request did not pass both proxies
        (1, "10.0.0.2", None, "10.0.0.2"),
        (1, "10.0.0.2", "nonsense", "unknown"),
        (0, "", None, "unknown"),
        (0, "2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        (1, "10.0.0.2", "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        (0, "::ffff:203.0.113.7", None, "203.0.113.7"),
    ],
)
def test_the_address_is_the_one_that_the_last_trusted_proxy_saw(settings, hops, peer, forwarded, address):
    settings.TRUSTED_HOPS = hops
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert client_address(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers)) == address
