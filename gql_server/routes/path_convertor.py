"""The path parameter of the routes to artifacts."""

from typing import Final

from starlette.convertors import Convertor, register_url_convertor
from typing_extensions import override

ARTIFACT_PATH: Final = "{path:any_text}"
"""The pattern of a path parameter that matches any text. Importing this module registers its convertor."""


class AnyTextConvertor(Convertor[str]):
    """Matches any text; Starlette's own `path` convertor matches no line breaks."""

    regex = "(?s:.*)"

    @override
    def convert(self, value: str) -> str:
        return value

    @override
    def to_string(self, value: str) -> str:
        return value


register_url_convertor("any_text", AnyTextConvertor())
