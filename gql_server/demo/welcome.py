"""The text that `gql-server demo` prints once it listens."""

from textwrap import indent

LEADERBOARD = """\
{
  experiment(name: "moons-sweep") {
    runs(first: 3, orderBy: [{metric: "val/accuracy", direction: DESC}, {attribute: STARTED_AT}]) {
      totalCount
      nodes { name accuracy: metric(key: "val/accuracy") { value } params(keys: ["lr", "l2"]) { key value } }
    }
  }
}"""

CURVES = """\
{
  experiment(name: "spirals-mlp") {
    runs {
      nodes { name status metrics(keys: ["val/loss"]) { value series { steps values } } }
    }
  }
}"""


def welcome(url: str) -> str:
    """Return the URL of the graph and two example queries, as text for a terminal."""
    first, second = (indent(query, "    ") for query in (LEADERBOARD, CURVES))
    return (
        f"The graph is at {url}\n\nOpen it in a browser and try a leaderboard:\n\n{first}\n\n"
        f"or the loss curves of an experiment:\n\n{second}\n\nStop with Ctrl-C.\n"
    )
