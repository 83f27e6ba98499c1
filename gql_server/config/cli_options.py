"""Command-line options for the settings, one each, listed by subject in `--help`."""

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import click
from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo

from gql_server.config.settings import SUBJECTS


class SettingOption(click.Option):
    """The option of one setting; `subject` is its heading in `--help`."""

    def __init__(self, name: str, field: FieldInfo, subject: str) -> None:
        flag = name.replace("_", "-")
        declaration = f"--{flag}/--no-{flag}" if field.annotation is bool else f"--{flag}"
        # The option has no default: without a value the setting is read from the environment.
        super().__init__([declaration, name], type=_type_of(field), default=None, help=_help_of(field))
        self.subject = subject


class SettingsCommand(click.Command):
    """A command with the options of all settings; they come after its other options."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.params += setting_options()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; report an invalid value in one line with exit code 2, without the usage."""
        try:
            return super().parse_args(ctx, args)
        except click.BadParameter as error:
            # Without its context the error is shown without the usage.
            raise click.UsageError(error.format_message()) from None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section for each subject, and one for the options that are not settings."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": [], **{subject: [] for subject in SUBJECTS}}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                sections[getattr(parameter, "subject", "Options")].append(record)
        for subject, records in sections.items():
            with formatter.section(subject):
                formatter.write_dl(records)


def setting_options() -> Iterator[SettingOption]:
    """Yield the option of each setting, by subject."""
    for subject, group in SUBJECTS.items():
        for name, field in group.model_fields.items():
            yield SettingOption(name, field, subject)


def _type_of(field: FieldInfo) -> Any:
    if get_origin(field.annotation) is Literal:
        return click.Choice(get_args(field.annotation))
    if field.annotation is int:
        return _number_type(click.INT, click.IntRange, field)
    if field.annotation is float:
        return _number_type(click.FLOAT, click.FloatRange, field)
    return field.annotation


def _number_type(unbounded: Any, bounded: Any, field: FieldInfo) -> Any:
    bounds: dict[str, Any] = {}
    for bound in field.metadata:
        match bound:
            case Gt(gt=lowest):
                bounds |= {"min": lowest, "min_open": True}
            case Ge(ge=lowest):
                bounds |= {"min": lowest}
            case Le(le=highest):
                bounds |= {"max": highest}
    if not bounds:
        return unbounded
    number_type = bounded(**bounds)
    # Instead of "integer range": the help lists the bounds in any case.
    number_type.name = unbounded.name
    return number_type


def _help_of(field: FieldInfo) -> str:
    default = str(field.default).lower() if isinstance(field.default, bool) else field.default
    return f"{field.description} [default: {default}]" if default != "" else str(field.description)
