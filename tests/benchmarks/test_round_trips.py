"""The proxy that counts the round trips to Postgres."""

import psycopg

from benchmarks.databases import Database
from benchmarks.round_trips import counting_proxy


def test_counts_what_is_sent_together_once(in_postgres: Database) -> None:
    """Each statement is a round trip, and the statements of a pipeline are one."""
    url = in_postgres.url
    with counting_proxy(url.host or "127.0.0.1", url.port or 5432) as proxy:
        through = url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        with psycopg.connect(through, autocommit=True) as connection:
            before = proxy.round_trips
            for _ in range(3):
                connection.execute("SELECT 1").fetchall()
            one_by_one = proxy.round_trips - before
            with connection.pipeline():
                for _ in range(3):
                    connection.execute("SELECT 1")
            together = proxy.round_trips - before - one_by_one
    assert (one_by_one, together) == (3, 1)
