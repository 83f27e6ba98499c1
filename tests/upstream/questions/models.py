"""Questions about the model registry and logged models."""

from json import dumps

from tests.upstream.questions.answers import (
    Answers,
    Question,
    Record,
    each_search,
    named,
    nodes,
    select,
    without,
)

_VERSION = "name version stage status description source createdAt updatedAt aliases tags { key value }"
_OF_VERSION = "run { runId } loggedModel { modelId }"
_LOGGED = (
    "modelId name status modelType createdAt updatedAt artifactLocation experimentId "
    "params { key value } tags { key value } sourceRun { runId } "
    "metrics { key value nonFinite step timestamp datasetName datasetDigest }"
)


def registered_models(answers: Answers) -> Question:
    """Ask for every registered model with its versions, tags and aliases."""
    document = f"""{{ registeredModels {{ totalCount nodes {{ name description createdAt updatedAt
      tags {{ key value }} aliases {{ alias version }} versions {{ nodes {{ {_VERSION} {_OF_VERSION} }} }}
    }} }} }}"""
    expected = [
        model | {"versions": nodes([_linked(version) for version in model["versions"]])}
        for model in answers["registered_models"]
    ]
    return Question(document, {"registeredModels": {"totalCount": len(expected)} | nodes(expected)})


def model_filters(answers: Answers) -> Question:
    """Ask for registered models with each of MLflow's filters."""
    return each_search(answers["model_filters"], lambda text: f"registeredModels(filter: {dumps(text)})")


def prompts(answers: Answers) -> Question:
    """Ask for prompts, which only a filter selects."""
    text = "tags.`mlflow.prompt.is_prompt` = 'true'"
    document = f'{{ registeredModels(filter: "{text}") {{ nodes {{ name }} }} }}'
    return Question(document, {"registeredModels": named(answers["prompts"])})


def model_lookups(answers: Answers) -> Question:
    """Ask for a model by name, for versions by number and by alias, and for some that do not exist."""
    document = f"""{{
      model: registeredModel(name: "classifier") {{ description }}
      number: modelVersion(name: "classifier", version: "1") {{ {_VERSION} }}
      alias: modelVersion(name: "classifier", alias: "champion") {{ {_VERSION} }}
      deleted: modelVersion(name: "classifier", version: "4") {{ version }}
      noAlias: modelVersion(name: "classifier", alias: "none") {{ version }}
      noModel: registeredModel(name: "none") {{ name }}
    }}"""
    (model,) = (each for each in answers["registered_models"] if each["name"] == "classifier")
    versions = {each["version"]: without(each, "runId", "modelId") for each in model["versions"]}
    (champion,) = (each["version"] for each in model["aliases"] if each["alias"] == "champion")
    found = {"model": select(model, "description"), "number": versions["1"], "alias": versions[champion]}
    return Question(document, found | {"deleted": None, "noAlias": None, "noModel": None})


def versions_of_runs(answers: Answers) -> Question:
    """Ask for the model versions that were registered from each run."""
    versions = [version for model in answers["registered_models"] for version in model["versions"]]
    expected = [
        {
            "name": run["name"],
            "modelVersions": [
                select(each, "name", "version") for each in versions if each["runId"] == run["runId"]
            ],
        }
        for run in answers.active_runs()
    ]
    document = "{ runs { nodes { name modelVersions { name version } } } }"
    return Question(document, {"runs": nodes(expected)})


def logged_models(answers: Answers) -> Question:
    """Ask for the logged models of an experiment with everything that was logged to them."""
    experiment_id = answers.experiment_id("sweep")
    expected = [
        without(model, "sourceRunId") | {"sourceRun": _reference("runId", model["sourceRunId"])}
        for model in answers["logged_models"]
        if model["experimentId"] == experiment_id
    ]
    document = f'{{ experiment(name: "sweep") {{ loggedModels {{ totalCount nodes {{ {_LOGGED} }} }} }} }}'
    return Question(
        document, {"experiment": {"loggedModels": {"totalCount": len(expected)} | nodes(expected)}}
    )


def models_of_runs(answers: Answers) -> Question:
    """Ask for the logged models that each run created or has as outputs."""
    expected = [
        {
            "name": run["name"],
            "loggedModels": [
                select(model, "name")
                for model in answers["logged_models"]
                if model["sourceRunId"] == run["runId"]
                or model["modelId"] in answers["output_models"].get(run["name"], [])
            ],
        }
        for run in answers.active_runs()
    ]
    return Question("{ runs { nodes { name loggedModels { name } } } }", {"runs": nodes(expected)})


def _linked(version: Record) -> Record:
    return without(version, "runId", "modelId") | {
        "run": _reference("runId", version["runId"]),
        "loggedModel": _reference("modelId", version["modelId"]),
    }


def _reference(name: str, value: str | None) -> Record | None:
    return {name: value} if value else None


QUESTIONS = (
    registered_models,
    model_filters,
    prompts,
    model_lookups,
    versions_of_runs,
    logged_models,
    models_of_runs,
)
