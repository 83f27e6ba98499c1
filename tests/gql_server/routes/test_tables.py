"""Tables in each format, over every kind of store."""

import csv
import io
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import mlflow
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mlflow.entities import Metric, Param, RunTag

from tests.e2e.test_flat_rows import fill
from tests.support.graphql_client import GraphQLClient, graphql_client
from tests.support.mutations import change
from tests.support.stores import Store

FORMATS = ("csv", "parquet", "arrow")
TABLES = ("experiments", "runs", "params", "tags", "metrics", "metric_points")


@pytest.fixture
async def asked(store: Store) -> AsyncIterator[GraphQLClient]:
    """Give a client of a server over a store with five runs."""
    fill(store.client)
    async with graphql_client(store.uri) as asked:
        yield asked


@pytest.fixture
async def client(sqlite_store: Store) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of a server over a SQLite store with five runs."""
    fill(sqlite_store.client)
    async with graphql_client(sqlite_store.uri) as asked:
        yield asked.http


async def read(client: httpx.AsyncClient, name: str, **parameters: str) -> pa.Table:
    """Return a table from its Parquet file or Arrow stream."""
    answer = await client.get(f"/tables/{name}", params=parameters)
    assert answer.status_code == 200, answer.text
    if name.endswith(".parquet"):
        return pq.read_table(io.BytesIO(answer.content))
    return pa.ipc.open_stream(answer.content).read_all()


async def lines(client: httpx.AsyncClient, name: str, **parameters: str) -> list[dict[str, str]]:
    """Return a table's lines from its CSV."""
    answer = await client.get(f"/tables/{name}.csv", params=parameters)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline=""), strict=True))


async def test_the_formats_agree(asked: GraphQLClient) -> None:
    """Each table has the same rows in each format, and as many as the graph's flat rows."""
    for name in TABLES:
        parquet = await read(asked.http, f"{name}.parquet")
        arrow = await read(asked.http, f"{name}.arrow")
        assert arrow.schema == parquet.schema
        assert str(arrow.to_pylist()) == str(parquet.to_pylist())
        text = await lines(asked.http, name)
        assert list(text[0]) == arrow.column_names
        assert [row[arrow.column_names[0]] for row in text] == arrow.column(0).to_pylist()
        field = name.removesuffix("s").split("_")
        rows = field[0] + "".join(map(str.title, field[1:])) + "Rows"
        data = await asked.data(f"{{ {rows} {{ __typename }} }}")
        assert len(data[rows]) == arrow.num_rows


async def test_types_and_values(asked: GraphQLClient) -> None:
    """Times are UTC timestamps, steps whole numbers, and values that are not finite what they are."""
    points = await read(asked.http, "metric_points.arrow", key="loss")
    types = {field.name: field.type for field in points.schema}
    assert types["timestamp"] == pa.timestamp("ms", tz="UTC")
    assert types["step"] == pa.int64()
    values = points.column("value").to_pylist()[:6]
    assert values[0] == 0.1
    assert math.isnan(values[1])
    assert values[2:] == [math.inf, -math.inf, -2.5, 1e-300]
    text = await lines(asked.http, "metric_points", key="loss")
    written = [row["value"] for row in text[:6]]
    assert written == ["0.1", "NaN", "Infinity", "-Infinity", "-2.5", "1e-300"]
    assert text[0]["timestamp"] == "1970-01-01T00:00:00.010Z"
    runs = await read(asked.http, "runs.parquet")
    assert runs.column("started_at")[-1].as_py() == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert runs.column("ended_at")[-1].as_py() is None


async def test_csv_is_kept_harmless(client: httpx.AsyncClient) -> None:
    """Text that a spreadsheet would run gets an apostrophe; quotes, commas and line breaks survive."""
    answer = await client.get("/tables/params.csv", params={"key": "a:x"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert b"\r\n" in answer.content
    assert answer.content.count(b"\n") == answer.content.count(b"\r\n")
    params = await lines(client, "params")
    assert {row["value"] for row in params} == {"'=1+1", "0.1"}
    tags = await lines(client, "tags", key="team")
    assert {row["value"] for row in tags} == {'ünïcode, "quoted"\n'}


async def test_numbers_stay_numbers(sqlite_store: Store) -> None:
    """A param that is a negative number is no formula."""
    run_id = sqlite_store.client.create_run("0").info.run_id
    texts = ["-1e-3", "+5", "-x", "@a", "\t1", "=", "-"]
    sqlite_store.client.log_batch(
        run_id, params=[Param(f"p{place}", text) for place, text in enumerate(texts)]
    )
    async with graphql_client(sqlite_store.uri) as asked:
        values = [row["value"] for row in await lines(asked.http, "params")]
    assert values == ["-1e-3", "+5", "'-x", "'@a", "'\t1", "'=", "'-"]


@pytest.mark.parametrize("format_", FORMATS)
async def test_an_empty_table_has_its_columns(client: httpx.AsyncClient, format_: str) -> None:
    """Where nothing matches, and under a key that nobody logged, the columns are there and no rows."""
    if format_ == "csv":
        answer = await client.get("/tables/metrics.csv", params={"key": "nobody's"})
        assert answer.text == "run_id,experiment_id,key,value,step,timestamp\r\n"
    else:
        table = await read(client, f"metrics.{format_}", key="nobody's")
        assert table.num_rows == 0
        assert table.column_names == ["run_id", "experiment_id", "key", "value", "step", "timestamp"]


def _comparable(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.sort_values("run_id").reset_index(drop=True)
    frame = frame[sorted(frame.columns)]
    for name in ("start_time", "end_time"):
        frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[ns, UTC]")
    return frame.where(frame.notna(), None)


async def test_wide_runs_are_mlflows_own(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wide table is `mlflow.search_runs` on the same store: columns, rows and values."""
    client = store.client
    ids = fill(client)
    client.log_batch(ids[0], [Metric("only/here", 3.0, 1, 1)], [Param("also", "x")], [RunTag("t t", "")])
    for run_id in ids:
        # MLflow gives back the largest float for an infinity.
        client.log_metric(run_id, "loss", 2.5, step=1000)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    expected = mlflow.search_runs(search_all_experiments=True)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert isinstance(expected, pd.DataFrame)
    async with graphql_client(store.uri) as asked:
        table = await read(asked.http, "runs.parquet", wide="true")
        text = await lines(asked.http, "runs", wide="true")
    names = table.column_names
    assert names[:6] == ["run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time"]
    assert names[6:] == sorted(names[6:])
    assert list(text[0]) == names
    assert list(table.column("run_id").to_pylist()) == list(expected["run_id"])
    assert set(names) == set(expected.columns)
    pd.testing.assert_frame_equal(
        _comparable(table.to_pandas()), _comparable(expected), check_dtype=False, check_column_type=False
    )


async def test_since_leaves_out_what_ended_before(client: httpx.AsyncClient) -> None:
    """With since come the runs that started or ended since, and those that still run, whenever they began."""
    everything = await lines(client, "runs")
    assert await lines(client, "runs", since="2023-11-14") == everything
    some = await lines(client, "runs", since="2023-11-14T22:13:21.003Z")
    assert [row["run_name"] for row in some] == ["run 4", "run 3", "run 0"]
    assert [row["status"] for row in some] == ["FINISHED", "FINISHED", "RUNNING"]
    later = await lines(client, "params", since="2099-01-01", key="lr")
    assert [row["run_id"] for row in later] == [everything[-1]["run_id"]]
    assert await lines(client, "experiments", since="2099-01-01") == []


@pytest.mark.parametrize(
    ("path", "parameters", "status", "code", "told"),
    [
        ("nothing.csv", {}, 404, "NOT_FOUND", "metric_points"),
        ("runs.xlsx", {}, 404, "NOT_FOUND", "parquet"),
        ("runs", {}, 404, "NOT_FOUND", "/tables/runs.csv"),
        ("runs.csv", {"experiment": "nobody's"}, 404, "NOT_FOUND", "nobody's"),
        ("runs.parquet", {"experiment": "nobody's"}, 404, "NOT_FOUND", "nobody's"),
        ("runs.csv", {"filter": "metrics.loss <"}, 400, "BAD_USER_INPUT", ""),
        ("runs.arrow", {"filter": "(("}, 400, "BAD_USER_INPUT", ""),
        ("runs.parquet", {"filter": "(("}, 400, "BAD_USER_INPUT", ""),
        ("runs.csv", {"limit": "1"}, 400, "BAD_USER_INPUT", "'limit'"),
        ("runs.csv", {"key": "loss"}, 400, "BAD_USER_INPUT", "'key'"),
        ("experiments.csv", {"filter": ""}, 400, "BAD_USER_INPUT", "'filter'"),
        ("params.csv", {"since": "yesterday"}, 400, "BAD_USER_INPUT", "since"),
        ("runs.csv", {"since": "+999999999-01-01T00:00:00.000Z"}, 400, "BAD_USER_INPUT", "since"),
        ("experiments.csv", {"since": "-999999999-01-01T00:00:00.000Z"}, 400, "BAD_USER_INPUT", "since"),
        ("runs.csv", {"wide": "very"}, 400, "BAD_USER_INPUT", "wide"),
        ("runs.csv?wide=true&wide=true", {}, 400, "BAD_USER_INPUT", "once"),
    ],
)
async def test_bad_input(
    client: httpx.AsyncClient, path: str, parameters: dict[str, str], status: int, code: str, told: str
) -> None:
    """What cannot be given is told by status, code and message, and not by a file."""
    answer = await client.get(f"/tables/{path}", params=parameters or None)
    assert answer.status_code == status
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == code
    assert told in error["message"]


async def test_too_many_columns(sqlite_store: Store) -> None:
    """A wide table that would be wider than the bound is refused by its name."""
    fill(sqlite_store.client)
    async with graphql_client(sqlite_store.uri, max_table_columns=3) as asked:
        answer = await asked.http.get("/tables/runs.csv?wide=true")
    assert answer.status_code == 422
    assert "GQL_MAX_TABLE_COLUMNS" in answer.text


async def test_head_and_range(client: httpx.AsyncClient) -> None:
    """A Parquet file tells its length and gives parts of itself; the streams say that they do not."""
    url = "/tables/metric_points.parquet"
    whole = await client.get(url)
    head = await client.head(url)
    assert head.content == b""
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.headers["accept-ranges"] == "bytes"
    head = await client.head(url, headers={"range": "bytes=0-1"})
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(whole.content)))
    rows = await client.get(url, headers={"range": "rows=0-1"})
    assert (rows.status_code, rows.content) == (200, whole.content)
    end = await client.get(url, headers={"range": "bytes=-8"})
    assert end.status_code == 206
    assert end.content == whole.content[-8:]
    assert end.content.endswith(b"PAR1")
    for format_ in ("csv", "arrow"):
        head = await client.head(f"/tables/params.{format_}")
        assert head.status_code == 200
        assert head.content == b""
        assert "content-length" not in head.headers
        assert head.headers["accept-ranges"] == "none"
        part = await client.get(f"/tables/params.{format_}", headers={"range": "bytes=0-1"})
        assert part.status_code == 200
        assert len(part.content) > 2
    assert (await client.head("/tables/nothing.csv")).status_code == 404
    assert (await client.post("/tables/runs.csv")).status_code == 405


async def test_a_change_is_seen_by_who_begins_to_read(sqlite_store: Store) -> None:
    """After a change through this server, or with no-cache, a Parquet file is new; who reads on reads on.

    Who says by If-Range which file they have the beginning of gets all of the new one.
    """
    (run_id, *_) = fill(sqlite_store.client)
    url = "/tables/runs.parquet"
    async with graphql_client(sqlite_store.uri, writable=True) as asked:
        client = asked.http
        old = await client.get(url)
        assert (await client.head(url)).headers["etag"] == old.headers["etag"]
        await change(asked, "updateRun", runId=run_id, name="another name")
        part = await client.get(url, headers={"range": "bytes=4-9"})
        assert part.headers["etag"] == old.headers["etag"]
        known = {"range": "bytes=4-9", "if-range": old.headers["etag"]}
        whole = await client.get(url, headers=known)
        assert whole.status_code == 200
        assert "another name" in str(pq.read_table(io.BytesIO(whole.content)).to_pylist())
        end = await client.get(url, headers={"range": "bytes=-8"})
        assert end.headers["etag"] == whole.headers["etag"]
        sqlite_store.client.update_run(run_id, name="a third name")
        assert (await client.get(url)).content == whole.content
        anew = await client.get(url, headers={"cache-control": "no-cache"})
        assert "a third name" in str(pq.read_table(io.BytesIO(anew.content)).to_pylist())
        assert (await client.get(url)).content == anew.content


async def test_headers(client: httpx.AsyncClient) -> None:
    """A browser saves the file under the table's name, and nothing on the way keeps it."""
    for format_, type_ in (
        ("csv", "text/csv; charset=utf-8; header=present"),
        ("arrow", "application/vnd.apache.arrow.stream"),
        ("parquet", "application/vnd.apache.parquet"),
    ):
        answer = await client.get(f"/tables/runs.{format_}")
        assert answer.headers["content-type"] == type_
        assert answer.headers["content-disposition"] == f'attachment; filename="runs.{format_}"'
        assert answer.headers["cache-control"] == "no-store"


async def test_without_pyarrow(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyarrow is not installed, CSV works, and the others say what to install."""
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    for format_ in ("parquet", "arrow"):
        answer = await client.get(f"/tables/runs.{format_}")
        assert answer.status_code == 501
        assert "mlflow-gql-server[tables]" in answer.text
    assert (await client.get("/tables/runs.csv")).status_code == 200
