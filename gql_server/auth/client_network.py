"""What counts as one client without verified credentials."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address


@lru_cache(maxsize=1024)
def network_of(address: str) -> str:
    """Return the network that a client has: its IPv4 address, or the first 64 bits of its IPv6 address.

    A text that is no address is returned as it is.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        # Proxies may write an IPv4 address as IPv6, and a client with one IPv6 address has its whole /64.
        return str(parsed.ipv4_mapped or int(parsed) >> 64)
    return address
