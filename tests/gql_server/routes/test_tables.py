"""Tables in each format, over every kind of store."""

import csv
import io
import json
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlencode

import httpx
import mlflow
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mlflow.entities import Metric, Param, RunTag

from tests.e2e.test_flat_rows import fill
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.app.mutations import mutate
from tests.support.stores.store import Store

FORMATS = ("csv", "ndjson", "parquet", "arrow", "feather")
TABLES = ("experiments", "runs", "params", "tags", "metrics", "metric_points")
LABELS = ["run_id", "experiment_id", "experiment_name", "run_name"]
METRIC_COLUMNS = [*LABELS, "key", "value", "step", "timestamp"]


@pytest.fixture
async def graphql(store: Store) -> AsyncIterator[GraphQLClient]:
    """Give a client of a server over a store with five runs."""
    fill(store.client)
    async with graphql_client(store.uri) as graphql:
        yield graphql


@pytest.fixture
async def client(sqlite_store: Store) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of a server over a SQLite store with five runs."""
    fill(sqlite_store.client)
    async with graphql_client(sqlite_store.uri) as graphql:
        yield graphql.http


async def read(client: httpx.AsyncClient, name: str, **parameters: str) -> pa.Table:
    """Return a table from its Parquet file, Arrow stream or Arrow file."""
    response = await client.get(f"/tables/{name}", params=parameters)
    assert response.status_code == 200, response.text
    if name.endswith(".parquet"):
        return pq.read_table(io.BytesIO(response.content))
    if name.endswith(".feather"):
        return pa.ipc.open_file(response.content).read_all()
    return pa.ipc.open_stream(response.content).read_all()


async def lines(client: httpx.AsyncClient, name: str, **parameters: str) -> list[dict[str, str]]:
    """Return the rows of a table from its CSV."""
    response = await client.get(f"/tables/{name}.csv", params=parameters)
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.text, newline=""), strict=True))


async def test_formats_have_the_same_rows(graphql: GraphQLClient) -> None:
    """Each table has the same rows in each format, and as many as the flat rows of the graph."""
    for name in TABLES:
        parquet = await read(graphql.http, f"{name}.parquet")
        arrow = await read(graphql.http, f"{name}.arrow")
        assert arrow.schema == parquet.schema
        assert str(arrow.to_pylist()) == str(parquet.to_pylist())
        feather = await read(graphql.http, f"{name}.feather")
        assert feather.schema == arrow.schema
        assert str(feather.to_pylist()) == str(arrow.to_pylist())
        text = await lines(graphql.http, name)
        assert list(text[0]) == arrow.column_names
        assert [row[arrow.column_names[0]] for row in text] == arrow.column(0).to_pylist()
        field = name.removesuffix("s").split("_")
        rows = field[0] + "".join(map(str.title, field[1:])) + "Rows"
        data = await graphql.data(f"{{ {rows} {{ __typename }} }}")
        assert len(data[rows]) == arrow.num_rows


async def test_columns_have_types(graphql: GraphQLClient) -> None:
    """Times are UTC timestamps, steps are integers, and non-finite values are floats."""
    points = await read(graphql.http, "metric_points.arrow", key="loss")
    types = {field.name: field.type for field in points.schema}
    assert types["timestamp"] == pa.timestamp("ms", tz="UTC")
    assert types["step"] == pa.int64()
    values = points.column("value").to_pylist()[:6]
    assert values[0] == 0.1
    assert math.isnan(values[1])
    assert values[2:] == [math.inf, -math.inf, -2.5, 1e-300]
    text = await lines(graphql.http, "metric_points", key="loss")
    written = [row["value"] for row in text[:6]]
    assert written == ["0.1", "NaN", "Infinity", "-Infinity", "-2.5", "1e-300"]
    assert text[0]["timestamp"] == "1970-01-01T00:00:00.010Z"
    runs = await read(graphql.http, "runs.parquet")
    assert runs.column("started_at")[-1].as_py() == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert runs.column("ended_at")[-1].as_py() is None


async def test_csv_escapes_formulas(client: httpx.AsyncClient) -> None:
    """Text that a spreadsheet would evaluate gets an apostrophe; quotes, commas and line breaks survive."""
    response = await client.get("/tables/params.csv", params={"key": "a:x"})
    assert response.headers["content-type"].startswith("text/csv")
    assert b"\r\n" in response.content
    assert response.content.count(b"\n") == response.content.count(b"\r\n")
    params = await lines(client, "params")
    assert {row["value"] for row in params} == {"'=1+1", "0.1"}
    tags = await lines(client, "tags", key="team")
    assert {row["value"] for row in tags} == {'ünïcode, "quoted"\n'}


async def test_csv_does_not_escape_numbers(sqlite_store: Store) -> None:
    """A param that is a negative number is not escaped as a formula."""
    run_id = sqlite_store.client.create_run("0").info.run_id
    texts = ["-1e-3", "+5", "-x", "@a", "\t1", "=", "-"]
    sqlite_store.client.log_batch(
        run_id, params=[Param(f"p{index}", text) for index, text in enumerate(texts)]
    )
    async with graphql_client(sqlite_store.uri) as graphql:
        values = [row["value"] for row in await lines(graphql.http, "params")]
    assert values == ["-1e-3", "+5", "'-x", "'@a", "'\t1", "'=", "'-"]


@pytest.mark.parametrize("format_", FORMATS)
async def test_empty_table_has_columns(client: httpx.AsyncClient, format_: str) -> None:
    """A table without rows, of no matching run or an unused key, has its columns."""
    if format_ == "csv":
        response = await client.get("/tables/metrics.csv", params={"key": "nobody's"})
        assert response.text == f"{','.join(METRIC_COLUMNS)}\r\n"
    elif format_ == "ndjson":
        response = await client.get("/tables/metrics.ndjson", params={"key": "nobody's"})
        assert (response.status_code, response.content) == (200, b"")
    else:
        table = await read(client, f"metrics.{format_}", key="nobody's")
        assert table.num_rows == 0
        assert table.column_names == METRIC_COLUMNS


def _comparable(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.sort_values("run_id").reset_index(drop=True)
    frame = frame[sorted(frame.columns)]
    for name in ("started_at", "ended_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[ns, UTC]")
    return frame.where(frame.notna(), None)


async def test_wide_runs_equal_search_runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wide table has the narrow one's columns, and the values of `mlflow.search_runs`."""
    client = store.client
    ids = fill(client)
    client.log_batch(ids[0], [Metric("only/here", 3.0, 1, 1)], [Param("also", "x")], [RunTag("t t", "")])
    for run_id in ids:
        # MLflow returns the largest float for infinity.
        client.log_metric(run_id, "loss", 2.5, step=1000)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    expected = mlflow.search_runs(search_all_experiments=True)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert isinstance(expected, pd.DataFrame)
    async with graphql_client(store.uri) as graphql:
        narrow = await read(graphql.http, "runs.parquet")
        table = await read(graphql.http, "runs.parquet", wide="true")
        text = await lines(graphql.http, "runs", wide="true")
    names = table.column_names
    run_names = narrow.column_names
    assert names[: len(run_names)] == run_names
    assert names[len(run_names) :] == sorted(names[len(run_names) :])
    assert list(text[0]) == names
    assert table.select(run_names) == narrow
    assert list(table.column("run_id").to_pylist()) == list(expected["run_id"])
    expected = expected.rename(columns={"start_time": "started_at", "end_time": "ended_at"})
    assert set(expected.columns) == {*names} - {*run_names} | {*run_names}.intersection(expected.columns)
    same = table.select(list(expected.columns)).to_pandas()
    pd.testing.assert_frame_equal(
        _comparable(same), _comparable(expected), check_dtype=False, check_column_type=False
    )


async def test_rows_of_data_have_the_names_of_their_run(graphql: GraphQLClient) -> None:
    """Params, tags, metrics and points have the names of their run and of its experiment."""
    runs = (await read(graphql.http, "runs.parquet", columns=",".join(LABELS))).to_pylist()
    assert {(run["experiment_name"], run["run_name"]) for run in runs} == {
        ("other" if number == 3 else "Default", f"run {number}") for number in range(5)
    }
    for name in ("params", "tags", "metrics", "metric_points"):
        table = await read(graphql.http, f"{name}.arrow")
        assert table.column_names[: len(LABELS)] == LABELS
        assert all(row in runs for row in table.select(LABELS).to_pylist())


async def test_columns_are_chosen(graphql: GraphQLClient) -> None:
    """`columns` chooses the columns of each table and their order, and the rows remain the same."""
    for name in TABLES:
        whole = await read(graphql.http, f"{name}.parquet")
        chosen = whole.column_names[::-2]
        for format_ in ("parquet", "arrow"):
            table = await read(graphql.http, f"{name}.{format_}", columns=",".join(chosen))
            # As text, because NaN is not equal to itself.
            assert str(table.to_pylist()) == str(whole.select(chosen).to_pylist())
            assert table.schema == whole.select(chosen).schema
        text = await lines(graphql.http, name, columns=",".join(chosen))
        assert list(text[0]) == chosen
        assert len(text) == whole.num_rows
    assert await lines(graphql.http, "runs", columns="") == await lines(graphql.http, "runs")


async def test_wide_columns_are_chosen(store: Store) -> None:
    """`columns` chooses among the metrics, params and tags of a wide table, by key or all of a kind."""
    (run_id, *_) = fill(store.client)
    store.client.log_batch(run_id, [Metric("only/here", 3.0, 1, 1)], [Param("only here", "x")])
    async with graphql_client(store.uri, max_table_columns=4) as graphql:
        read_wide = partial(read, graphql.http, "runs.arrow", wide="true")
        names = [
            "params.only here",
            "run_name",
            "metrics.only/here",
            "parent_run_id",
            "tags.n",
            "params.none",
        ]
        table = await read_wide(columns=",".join(names))
        assert table.column_names == names
        newest, *others, oldest = table.to_pylist()
        parent = (await read_wide(columns="run_id"))["run_id"][-1].as_py()
        assert list(newest.values()) == ["x", "run 4", 3.0, parent, "4", None]
        assert list(oldest.values()) == [None, "run 0", None, None, "0", None]
        assert [row["tags.n"] for row in others] == ["3", "2", "1"]
        both = await read_wide(columns="metrics.loss,metrics.*,run_id")
        assert both.column_names == ["metrics.loss", "metrics.acc", "metrics.only/here", "run_id"]
        assert (await read_wide(columns='"params.a,b"'))["params.a,b"].null_count == 5
        response = await graphql.http.get("/tables/runs.csv?wide=true")
        assert response.status_code == 422
        assert "columns=run_id,metrics.loss" in response.text
        many = ",".join(f"params.{number}" for number in range(5))
        assert (await graphql.http.get(f"/tables/runs.csv?wide=true&columns={many}")).status_code == 422


async def test_since_excludes_runs_that_ended_before(client: httpx.AsyncClient) -> None:
    """`since` returns the runs that started or ended since then, and those still running."""
    everything = await lines(client, "runs")
    assert await lines(client, "runs", since="2023-11-14") == everything
    some = await lines(client, "runs", since="2023-11-14T22:13:21.003Z")
    assert [row["run_name"] for row in some] == ["run 4", "run 3", "run 0"]
    assert [row["status"] for row in some] == ["FINISHED", "FINISHED", "RUNNING"]
    later = await lines(client, "params", since="2099-01-01", key="lr")
    assert [row["run_id"] for row in later] == [everything[-1]["run_id"]]
    assert await lines(client, "experiments", since="2099-01-01") == []


@pytest.mark.parametrize(
    ("path", "parameters", "status", "code", "message"),
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
        ("runs.parquet", {"compression": "lzo"}, 400, "BAD_USER_INPUT", "zstd, snappy or none"),
        ("runs.csv", {"compression": "snappy"}, 400, "BAD_USER_INPUT", "'compression'"),
        ("runs.csv", {"wide": "very"}, 400, "BAD_USER_INPUT", "wide"),
        ("runs.csv?wide=true&wide=true", {}, 400, "BAD_USER_INPUT", "once"),
        ("runs.csv", {"columns": "run_id,nothing"}, 400, "BAD_USER_INPUT", "duration_seconds"),
        ("runs.csv", {"columns": "metrics.loss"}, 400, "BAD_USER_INPUT", "wide=true"),
        ("runs.csv?wide=true", {"columns": "metric.loss"}, 400, "BAD_USER_INPUT", "metrics.<key>"),
        ("runs.csv?wide=true", {"columns": "metrics."}, 400, "BAD_USER_INPUT", "metrics.<key>"),
        ("params.csv", {"columns": "key,value,key"}, 400, "BAD_USER_INPUT", "twice"),
        ("params.csv", {"columns": "key,"}, 400, "BAD_USER_INPUT", "''"),
        ("params.csv", {"columns": 'key,"value'}, 400, "BAD_USER_INPUT", "CSV"),
        ("params.csv", {"columns": "key\nvalue"}, 400, "BAD_USER_INPUT", "line"),
        ("experiments.parquet", {"columns": "run_id"}, 400, "BAD_USER_INPUT", "created_at"),
    ],
)
async def test_bad_table_request_is_refused(
    client: httpx.AsyncClient, path: str, parameters: dict[str, str], status: int, code: str, message: str
) -> None:
    """A request that is not valid gets an error with a status, a code and a message instead of a file."""
    name, _, query = path.partition("?")
    response = await client.get(f"/tables/{name}?{urlencode(parameters)}&{query}")
    assert response.status_code == status
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == code
    assert message in error["message"]


async def test_too_wide_table_is_refused(sqlite_store: Store) -> None:
    """A wide table with more columns than the limit is refused; the error names the setting."""
    fill(sqlite_store.client)
    async with graphql_client(sqlite_store.uri, max_table_columns=3) as graphql:
        response = await graphql.http.get("/tables/runs.csv?wide=true")
    assert response.status_code == 422
    assert "GQL_MAX_TABLE_COLUMNS" in response.text


@pytest.mark.parametrize("format_", FORMATS)
async def test_files_have_length_and_ranges(client: httpx.AsyncClient, format_: str) -> None:
    """HEAD gives the length of a table in each format, and ranges are parts of one file."""
    url = f"/tables/metric_points.{format_}"
    whole = await client.get(url, headers={"accept-encoding": "identity"})
    assert whole.headers["content-length"] == str(len(whole.content))
    head = await client.head(url)
    assert head.content == b""
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.headers["accept-ranges"] == "bytes"
    assert head.headers["content-type"] == whole.headers["content-type"]
    head = await client.head(url, headers={"range": "bytes=0-1"})
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(whole.content)))
    rows = await client.get(url, headers={"range": "rows=0-1"})
    assert (rows.status_code, rows.content) == (200, whole.content)
    assert rows.headers["etag"] == head.headers["etag"]
    for range_, part in (("0-0", slice(1)), ("10-19", slice(10, 20)), ("-8", slice(-8, None))):
        response = await client.get(url, headers={"range": f"bytes={range_}"})
        assert response.status_code == 206
        assert response.headers["etag"] == head.headers["etag"]
        assert response.content == whole.content[part]
    beyond = await client.get(url, headers={"range": f"bytes={len(whole.content)}-"})
    assert beyond.status_code == 416
    assert (await client.head(f"/tables/nothing.{format_}")).status_code == 404
    assert (await client.post(url)).status_code == 405


async def test_ranges_without_a_length_before(client: httpx.AsyncClient) -> None:
    """A range as the first request, as readers of a file's end send it, is of a whole table, too."""
    end = await client.get("/tables/runs.csv", headers={"range": "bytes=-10"})
    whole = await client.get("/tables/runs.csv")
    assert (end.status_code, end.content) == (206, whole.content[-10:])


async def test_lines_of_json_have_the_rows(graphql: GraphQLClient) -> None:
    """Each line of NDJSON is an object with all columns; a value that is not finite is null."""
    for name in ("runs", "metric_points", "experiments"):
        response = await graphql.http.get(f"/tables/{name}.ndjson")
        assert response.headers["content-type"] == "application/x-ndjson"
        assert response.text.endswith("\n")
        rows = [json.loads(line, parse_constant=pytest.fail) for line in response.text.splitlines()]
        table = await read(graphql.http, f"{name}.arrow")
        assert all(list(row) == table.column_names for row in rows)
        times = {field.name for field in table.schema if field.type == pa.timestamp("ms", tz="UTC")}
        expected = [
            {
                column: None if isinstance(value, float) and not math.isfinite(value) else value
                for column, value in row.items()
                if column not in times
            }
            for row in table.to_pylist()
        ]
        assert [{column: row[column] for column in row if column not in times} for row in rows] == expected
    wide = (await graphql.http.get("/tables/runs.ndjson?wide=true&columns=metrics.acc")).text
    assert wide == '{"metrics.acc":0.5}\n' * 4 + '{"metrics.acc":null}\n'


@pytest.mark.parametrize(
    ("compression", "name"), [("", "ZSTD"), ("snappy", "SNAPPY"), ("none", "UNCOMPRESSED")]
)
async def test_parquet_has_the_requested_compression(
    client: httpx.AsyncClient, compression: str, name: str
) -> None:
    """A Parquet file is compressed by Zstandard, or as `compression` says."""
    response = await client.get(f"/tables/runs.parquet?compression={compression}")
    metadata = pq.ParquetFile(io.BytesIO(response.content)).metadata
    assert {metadata.row_group(0).column(index).compression for index in range(metadata.num_columns)} == {
        name
    }


async def test_new_download_sees_changes(sqlite_store: Store) -> None:
    """After a change through this server, or with no-cache, a new Parquet file is written.

    A range of the old file is still sent; with If-Range the whole new file is sent.
    """
    (run_id, *_) = fill(sqlite_store.client)
    url = "/tables/runs.parquet"
    async with graphql_client(sqlite_store.uri, writable=True) as graphql:
        client = graphql.http
        old = await client.get(url)
        assert (await client.head(url)).headers["etag"] == old.headers["etag"]
        await mutate(graphql, "updateRun", runId=run_id, name="another name")
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
        refreshed = await client.get(url, headers={"cache-control": "no-cache"})
        assert "a third name" in str(pq.read_table(io.BytesIO(refreshed.content)).to_pylist())
        assert (await client.get(url)).content == refreshed.content


async def test_tables_are_saved_and_not_cached(client: httpx.AsyncClient) -> None:
    """A browser saves the file under the name of the table, and no cache stores it."""
    for format_, type_ in (
        ("csv", "text/csv; charset=utf-8; header=present"),
        ("ndjson", "application/x-ndjson"),
        ("arrow", "application/vnd.apache.arrow.stream"),
        ("feather", "application/vnd.apache.arrow.file"),
        ("parquet", "application/vnd.apache.parquet"),
    ):
        response = await client.get(f"/tables/runs.{format_}")
        assert response.headers["content-type"] == type_
        assert response.headers["content-disposition"] == f'attachment; filename="runs.{format_}"'
        assert response.headers["cache-control"] == "no-store"


async def test_parquet_without_pyarrow_is_unsupported(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without pyarrow, CSV and NDJSON work, and the error for the others names the package to install."""
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    for format_ in ("parquet", "arrow", "feather"):
        for response in (
            await client.get(f"/tables/runs.{format_}"),
            await client.get(f"/tables/runs.{format_}", headers={"range": "bytes=0-1"}),
        ):
            assert response.status_code == 501
            assert "mlflow-gql-server[tables]" in response.text
    for format_ in ("csv", "ndjson"):
        assert (await client.get(f"/tables/runs.{format_}")).status_code == 200
        assert (await client.head(f"/tables/runs.{format_}")).status_code == 200
