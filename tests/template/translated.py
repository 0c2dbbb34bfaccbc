"""The template as CloudFormation receives it: put through SAM's own translator, without network or account."""

import os
import re
from pathlib import Path

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
BACKEND = ROOT / "backend"


class Template:
    """One template: its source text, what was written, and what SAM makes of it."""

    def __init__(self, source, parameters=None):
        self.source = source
        self.written = yaml_parse(source)
        translatable = yaml_parse(source)
        for resource in translatable["Resources"].values():
            # The translator wants uploaded code; `sam deploy` uploads it.
            if "CodeUri" in resource.get("Properties", {}):
                resource["Properties"]["CodeUri"] = "s3://bucket/key"
        os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
        session = boto3.Session(region_name="us-east-1")
        # No managed policies: the template writes its roles itself, so none is ever looked up.
        translator = Translator({}, Parser(), boto_session=session)
        self.parameters = self.written["Parameters"]
        self.resources = translator.translate(translatable, parameters or {})["Resources"]

    def of_type(self, resource_type):
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == resource_type
        }

    def properties(self, name):
        return self.resources[name]["Properties"]

    def authorizers(self, api):
        """The authorizers of a REST or an HTTP API, by name."""
        schemes = self.properties(api)["Body"]["components"]["securitySchemes"]
        return {name: scheme["x-amazon-apigateway-authorizer"] for name, scheme in schemes.items()}

    def methods(self, api):
        """(path, method, definition) of every method of a REST or an HTTP API."""
        for path, methods in self.properties(api)["Body"]["paths"].items():
            for method, definition in methods.items():
                yield path, method, definition

    def permissions(self, function):
        """The sources that may invoke a function, as text."""
        sources = []
        for permission in self.of_type("AWS::Lambda::Permission").values():
            if text(permission["FunctionName"]) in (f"${{{function}}}", f"${{{function}.Arn}}"):
                assert permission["Action"] == "lambda:InvokeFunction"
                assert permission["Principal"] == "apigateway.amazonaws.com"
                sources.append(text(permission["SourceArn"]) if "SourceArn" in permission else "anyone")
        return sorted(sources)


def text(value):
    """A value with its intrinsic functions written as `${…}`, so that two spellings of the same thing are equal."""
    if not isinstance(value, dict):
        return str(value)
    ((function, argument),) = value.items()
    if function == "Ref":
        return f"${{{argument}}}"
    if function == "Fn::GetAtt":
        return f"${{{argument if isinstance(argument, str) else '.'.join(argument)}}}"
    if function == "Fn::Sub":
        template, names = argument if isinstance(argument, list) else (argument, {})
        for name, replacement in names.items():
            template = template.replace(f"${{{name}}}", text(replacement))
        # SAM writes the partition of the region at hand, the template's own text the variable.
        return template.replace("${AWS::Partition}", "aws")
    raise AssertionError(f"unexpected intrinsic function {function}")


def mutated(source, pattern, replacement):
    """The source with every match replaced; a mutation that changes nothing is a mistake in the test."""
    changed, count = re.subn(pattern, replacement, source, flags=re.MULTILINE)
    assert count, f"nothing in the template matches {pattern!r}"
    return changed
