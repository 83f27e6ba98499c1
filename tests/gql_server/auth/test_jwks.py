"""The cache of a provider's keys: when it fetches them, and how failures affect callers."""

import asyncio

import pytest

from gql_server.auth import jwks
from gql_server.auth.scheme import ProviderUnavailable
from tests.support.servers.token_provider import (
    TokenProvider,
    headers_with,
    scheme_for,
)


async def test_rotated_keys_are_fetched(provider: TokenProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new key is fetched with the first token that it signed; a removed key is not accepted any more."""
    monkeypatch.setattr(jwks, "_COOLDOWN", 0.0)
    scheme = scheme_for(provider)
    old = provider.token()
    assert await scheme.authenticate(headers_with(old))
    provider.new_key("two")
    assert await scheme.authenticate(headers_with(provider.token()))
    assert await scheme.authenticate(headers_with(old)) is None


async def test_unknown_key_ids_do_not_cause_a_fetch_each(provider: TokenProvider) -> None:
    """Tokens with invented key ids cause one fetch, however many they are."""
    scheme = scheme_for(provider)
    for number in range(20):
        assert await scheme.authenticate(headers_with(provider.token(kid=f"made-up-{number}"))) is None
    assert provider.fetched == 1


async def test_slow_fetch_does_not_delay_known_keys(
    provider: TokenProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While tokens with unknown keys wait for one fetch, a token with a cached key is accepted at once."""
    monkeypatch.setattr(jwks, "_COOLDOWN", 0.0)
    monkeypatch.setattr(jwks, "_MAX_WAITING", 6)
    scheme = scheme_for(provider)
    known = headers_with(provider.token())
    assert await scheme.authenticate(known)
    provider.may_respond.clear()
    unknown = [headers_with(provider.token(kid=f"made-up-{number}")) for number in range(7)]
    waiting = [asyncio.create_task(scheme.authenticate(headers)) for headers in unknown[:6]]
    for _ in range(2):
        assert await asyncio.to_thread(provider.requested.acquire, timeout=30)
    assert await scheme.authenticate(known)
    with pytest.raises(ProviderUnavailable):
        await scheme.authenticate(unknown[6])
    assert not any(task.done() for task in waiting)
    provider.may_respond.set()
    assert await asyncio.gather(*waiting) == [None] * 6
    assert provider.fetched == 2


async def test_failed_fetch_is_not_repeated_at_once(provider: TokenProvider) -> None:
    """After a failed fetch, no request causes another one or waits for it during the cooldown."""
    scheme = scheme_for(provider)
    provider.down = True
    for _ in range(5):
        with pytest.raises(ProviderUnavailable):
            await scheme.authenticate(headers_with(provider.token()))
    assert provider.fetched == 1


async def test_fetch_that_never_ends_times_out_once(
    provider: TokenProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fetch that takes too long times out, and later requests do not wait for it."""
    monkeypatch.setattr(jwks, "_TIMEOUT", 0.1)
    scheme = scheme_for(provider)
    provider.may_respond.clear()
    for _ in range(3):
        with pytest.raises(ProviderUnavailable):
            await scheme.authenticate(headers_with(provider.token()))
    # The request may arrive after the fetch has timed out.
    assert await asyncio.to_thread(provider.requested.acquire, timeout=30)
    assert provider.fetched == 1
    provider.may_respond.set()
