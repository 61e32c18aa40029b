"""ItemReader, ItemBatcher and ResultWriter of a Distributed Map (ASL A12.60–62)."""

from __future__ import annotations

import re
from typing import Any

from stepwell.asl.validate import values
from stepwell.asl.validate.scope import Place
from stepwell.asl.validate.task import check_count
from stepwell.asl.validate.templates import check_expressions, check_template

MAX_ITEMS = 100_000_000
MAX_BATCH_BYTES = 262_144

_READERS = re.compile(r"arn:[^:]+:states:::s3:(?:getObject|listObjectsV2)")
_WRITERS = re.compile(r"arn:[^:]+:states:::s3:putObject")
_INPUT_TYPES = ("MANIFEST", "JSON", "CSV", "JSONL", "PARQUET")
_CONFIG_FIELDS = frozenset(
    {
        "InputType",
        "Transformation",
        "ManifestType",
        "CSVDelimiter",
        "CSVHeaderLocation",
        "CSVHeaders",
        "MaxItems",
        "MaxItemsPath",
        "ItemsPointer",
    }
)
_CSV_FIELDS = ("CSVDelimiter", "CSVHeaderLocation", "CSVHeaders")
_DELIMITERS = ("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB")


def check_reader(value: Any, at: Place) -> None:
    """The source of a Distributed Map's items, and their format."""
    if not values.is_object(value, at.path, at.report):
        return
    values.require(value, ("Resource",), at.path, at.report)
    values.refuse_unknown(value, ("Resource", "Parameters", "Arguments", "ReaderConfig"), at.path, at.report)
    _check_target(value, _READERS, "s3:getObject", at, "s3:listObjectsV2")
    if "ReaderConfig" in value:
        _check_reader_config(value["ReaderConfig"], at.inside("ReaderConfig"))


def check_batcher(value: Any, at: Place) -> None:
    """How items are batched: by number, by bytes, or both."""
    if not values.is_object(value, at.path, at.report):
        return
    limits = ("MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath")
    values.refuse_unknown(value, (*limits, "BatchInput"), at.path, at.report)
    _refuse_paths_in_jsonata(value, limits, at)
    if not any(name in value for name in limits):
        names = values.listed(limits)
        at.report.error(f"This object should have at least one of the following fields: {names}", at.path)
    check_count(value, "MaxItemsPerBatch", at, minimum=0)
    check_count(value, "MaxInputBytesPerBatch", at, minimum=0, maximum=MAX_BATCH_BYTES)
    if "BatchInput" in value:
        _check_payload(value["BatchInput"], at.inside("BatchInput"))


def check_writer(value: Any, at: Place) -> None:
    """Where and how the results are written: a WriterConfig, a Resource with its arguments, or both."""
    if not values.is_object(value, at.path, at.report):
        return
    values.refuse_unknown(value, ("Resource", "Parameters", "Arguments", "WriterConfig"), at.path, at.report)
    arguments = "Arguments" if at.is_jsonata else "Parameters"
    if not value or ("Resource" in value) != (arguments in value):
        missing = [name for name in ("Resource", arguments) if name not in value]
        at.report.error(f"These fields are required: {values.listed(missing)}", at.path)
    _check_target(value, _WRITERS, "s3:putObject", at)
    if "WriterConfig" in value:
        _check_writer_config(value["WriterConfig"], at.inside("WriterConfig"))


def _check_target(value: dict[str, Any], allowed: re.Pattern[str], action: str, at: Place, *more: str) -> None:
    at.refuse_other_language(value)
    if "Resource" in value:
        place = f"{at.path}/Resource"
        resource = value["Resource"]
        if values.is_text(resource, place, at.report) and not allowed.fullmatch(resource):
            examples = values.listed(f"arn:<partition>:states:::{name}" for name in (action, *more))
            at.report.error(
                f"The field 'Resource' does not match any of the allowed values. Examples: {examples}", place
            )
    name = "Arguments" if at.is_jsonata else "Parameters"
    if name in value:
        _check_payload(value[name], at.inside(name))


def _check_payload(value: Any, at: Place) -> None:
    if at.is_jsonata:
        check_expressions(value, at.path, at.report)
    elif values.is_object(value, at.path, at.report):
        check_template(value, at.path, at.report)


def _check_reader_config(config: Any, at: Place) -> None:
    if not values.is_object(config, at.path, at.report):
        return
    values.refuse_unknown(config, _CONFIG_FIELDS, at.path, at.report)
    _refuse_paths_in_jsonata(config, ("MaxItemsPath",), at)
    check_count(config, "MaxItems", at, minimum=0, maximum=MAX_ITEMS)
    if "InputType" in config and config["InputType"] not in _INPUT_TYPES:
        names = values.listed(_INPUT_TYPES)
        at.report.error(f"The field 'InputType' should have one of these values: {names}", f"{at.path}/InputType")
    _check_enumerated(config, "Transformation", ("NONE", "LOAD_AND_FLATTEN"), at)
    _check_enumerated(config, "ManifestType", ("ATHENA_DATA", "S3_INVENTORY"), at)
    _check_combinations(config, at)
    if "ItemsPointer" in config:
        values.is_text(config["ItemsPointer"], f"{at.path}/ItemsPointer", at.report)
    _check_csv(config, at)


def _check_combinations(config: dict[str, Any], at: Place) -> None:
    """What a Transformation requires, and what a ManifestType excludes (AWS's guide, ItemReader)."""
    if config.get("Transformation") == "LOAD_AND_FLATTEN" and "InputType" not in config:
        at.report.error("The field 'InputType' is required but was missing", at.path)
    if config.get("ManifestType") == "S3_INVENTORY" and "InputType" in config:
        at.report.error("Field 'InputType' is not supported", at.path)


def _check_csv(config: dict[str, Any], at: Place) -> None:
    if config.get("InputType") in ("JSON", "JSONL", "PARQUET"):
        for name in _CSV_FIELDS:
            if name in config:
                at.report.error(f"Field '{name}' is not supported", at.path)
        return
    if config.get("InputType") == "CSV" and "CSVHeaderLocation" not in config:
        at.report.error("The field 'CSVHeaderLocation' is required but was missing", at.path)
    _check_enumerated(config, "CSVDelimiter", _DELIMITERS, at)
    _check_enumerated(config, "CSVHeaderLocation", ("FIRST_ROW", "GIVEN"), at)
    if config.get("CSVHeaderLocation") == "GIVEN":
        values.require(config, ("CSVHeaders",), at.path, at.report)
    if "CSVHeaders" in config and values.is_filled_array(config["CSVHeaders"], f"{at.path}/CSVHeaders", at.report):
        for index, name in enumerate(config["CSVHeaders"]):
            values.is_text(name, f"{at.path}/CSVHeaders[{index}]", at.report)


def _check_writer_config(config: Any, at: Place) -> None:
    if not values.is_object(config, at.path, at.report):
        return
    values.refuse_unknown(config, ("Transformation", "OutputType"), at.path, at.report)
    _check_enumerated(config, "Transformation", ("NONE", "COMPACT", "FLATTEN"), at)
    _check_enumerated(config, "OutputType", ("JSON", "JSONL"), at)


def _check_enumerated(config: dict[str, Any], name: str, allowed: tuple[str, ...], at: Place) -> None:
    if name in config:
        values.one_of(config[name], allowed, f"{at.path}/{name}", at.report)


def _refuse_paths_in_jsonata(value: dict[str, Any], names: tuple[str, ...], at: Place) -> None:
    if at.is_jsonata:
        for name in names:
            if name.endswith("Path") and name in value:
                at.refuse_for_language(name, "JSONata", "JSONPath")
