"""Options that several verbs share, said once."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Output(StrEnum):
    TABLE = "table"
    WIDE = "wide"
    YAML = "yaml"
    JSON = "json"
    NAME = "name"


Format = Annotated[Output, typer.Option("-o", "--output", help="How to print it.")]
Project = Annotated[str, typer.Option("-p", "--project", help="Only in this project.")]
Environment = Annotated[str, typer.Option("-e", "--environment", help="Only in this environment.")]
Name = Annotated[str, typer.Argument(help="NAME, or as much of PROJECT/ENVIRONMENT/NAME as makes it unique.")]
