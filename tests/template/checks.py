"""What must hold for the deployed stack, and what linters do not notice. Each check takes a `Template`."""

import json
import re
from pathlib import Path

from translated import text

REPOSITORY = Path(__file__).resolve().parents[2]
REST, HTTP, AUTHORIZER = "RestApi", "HttpApi", "AuthorizerFunction"
EXECUTE_API = "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:"
INVOKE_AUTHORIZER = (
    "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${AuthorizerFunction.Arn}/invocations"
)
# The longest that API Gateway keeps an answer.
MAX_TTL = 3600
OPEN = {("/health", "get")}


def may_be_invoked_by_the_three_apis_and_by_nothing_else(template):
    assert template.permissions(AUTHORIZER) == sorted(
        [
            # One for each of the two authorizers; SAM gives them the same source.
            EXECUTE_API + "${RestApi}/authorizers/*",
            EXECUTE_API + "${RestApi}/authorizers/*",
            EXECUTE_API + "${HttpApi}/authorizers/*",
            EXECUTE_API + "${WebSocketApi}/authorizers/${WebSocketAuthorizer}",
        ]
    )


def backends_may_be_invoked_by_their_routes(template):
    assert template.permissions("HttpBackend") == sorted(
        [
            EXECUTE_API + "${RestApi}/*/GET/orders",
            EXECUTE_API + "${RestApi}/*/GET/reports",
            EXECUTE_API + "${HttpApi}/*/GET/orders",
        ]
    )
    assert template.permissions("WebSocketBackend") == [EXECUTE_API + "${WebSocketApi}/*"]


def every_authorizer_calls_the_function(template):
    for api in (REST, HTTP):
        for authorizer in template.authorizers(api).values():
            assert text(authorizer["authorizerUri"]) == INVOKE_AUTHORIZER
    assert text(template.properties("WebSocketAuthorizer")["AuthorizerUri"]) == INVOKE_AUTHORIZER


def ttl_is_explicit_and_within_the_limit(template):
    for api in (REST, HTTP):
        for name, authorizer in template.authorizers(api).items():
            ttl = authorizer.get("authorizerResultTtlInSeconds")
            if isinstance(ttl, dict):
                parameter = template.parameters[ttl["Ref"]]
                assert parameter["Type"] == "Number"
                lowest, highest = parameter.get("MinValue"), parameter.get("MaxValue")
            else:
                lowest = highest = ttl
            assert type(lowest) is int and type(highest) is int, f"{api} {name}: no TTL"
            assert 0 <= lowest <= highest <= MAX_TTL, f"{api} {name}: TTL {lowest}..{highest}"


def rest_has_a_token_and_a_request_authorizer(template):
    kinds = {name: authorizer["type"] for name, authorizer in template.authorizers(REST).items()}
    assert kinds == {"TokenAuthorizer": "token", "RequestAuthorizer": "request"}


def identity_sources_are_the_authorization_header(template):
    schemes = template.properties(REST)["Body"]["components"]["securitySchemes"]
    # For a TOKEN authorizer the identity source is the name of the scheme.
    assert (schemes["TokenAuthorizer"]["in"], schemes["TokenAuthorizer"]["name"]) == ("header", "Authorization")
    assert "identitySource" not in template.authorizers(REST)["TokenAuthorizer"]
    assert template.authorizers(REST)["RequestAuthorizer"]["identitySource"] == "method.request.header.Authorization"
    for authorizer in template.authorizers(HTTP).values():
        assert authorizer["identitySource"] == ["$request.header.Authorization"]


def validation_expression_is_anchored_and_lets_every_bearer_token_pass(template):
    expression = template.authorizers(REST)["TokenAuthorizer"]["identityValidationExpression"]
    assert expression.startswith("^") and expression.endswith("$")
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert re.fullmatch(expression, f"{scheme} eyJhbGciOiJSUzI1NiJ9.e30.c2ln-_")
    for refused in ("", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "x Bearer a", "Bearer a\nb", "Bearer a, b"):
        assert not re.search(expression, refused), refused


def http_api_answers_are_policies_in_format_2(template):
    for authorizer in template.authorizers(HTTP).values():
        version = authorizer["authorizerPayloadFormatVersion"]
        assert type(version) is str and version == "2.0"
        # SAM leaves the member out when it is false, which is API Gateway's default.
        assert authorizer.get("enableSimpleResponses", False) is False
    for _, _, definition in template.methods(HTTP):
        version = definition["x-amazon-apigateway-integration"]["payloadFormatVersion"]
        assert type(version) is str and version == "2.0"


def every_method_has_its_authorizer(template):
    security = {
        (api, path, method): definition.get("security")
        for api in (REST, HTTP)
        for path, method, definition in template.methods(api)
        if method != "options" and (path, method) not in OPEN
    }
    assert security == {
        (REST, "/orders", "get"): [{"TokenAuthorizer": []}],
        (REST, "/reports", "get"): [{"RequestAuthorizer": []}],
        (HTTP, "/orders", "get"): [{"LambdaAuthorizer": []}],
    }


def preflight_needs_no_token(template):
    preflights = 0
    for path, method, definition in template.methods(REST):
        if method == "options":
            preflights += 1
            assert "security" not in definition, path
            assert definition["x-amazon-apigateway-integration"]["type"] == "mock", path
    assert preflights == len(template.properties(REST)["Body"]["paths"])
    body = template.properties(HTTP)["Body"]
    assert body["x-amazon-apigateway-cors"]["allowHeaders"]
    # An HTTP API answers preflights by itself unless a route catches OPTIONS.
    for path, method, _ in template.methods(HTTP):
        assert path != "/$default" and method not in ("options", "x-amazon-apigateway-any-method")


def health_is_open_and_answered_without_a_function(template):
    health = template.properties(REST)["Body"]["paths"]["/health"]["get"]
    # NONE is SAM's marker: the default authorizer is not added.
    assert health["security"] == [{"NONE": []}]
    integration = health["x-amazon-apigateway-integration"]
    assert integration["type"] == "mock" and "uri" not in integration
    assert integration["requestTemplates"] == {"application/json": '{"statusCode":200}'}
    assert integration["responses"]["default"]["statusCode"] == "200"


def gateway_responses_carry_the_headers(template):
    responses = template.properties(REST)["Body"]["x-amazon-apigateway-gateway-responses"]
    statuses = {
        "UNAUTHORIZED": "401",
        "ACCESS_DENIED": "403",
        "AUTHORIZER_FAILURE": "500",
        "AUTHORIZER_CONFIGURATION_ERROR": "500",
        "DEFAULT_4XX": None,
        "DEFAULT_5XX": None,
    }
    assert set(responses) == set(statuses)
    for name, status in statuses.items():
        assert responses[name].get("statusCode") == status, name
        headers = {
            key.removeprefix("gatewayresponse.header."): text(value)
            for key, value in responses[name]["responseParameters"].items()
        }
        # A static value stands in single quotes; without them it would be read as a mapping.
        assert headers.pop("Access-Control-Allow-Origin", None) == "'${CorsOrigin}'", name
        if status in ("401", "403"):
            assert headers.pop("WWW-Authenticate", None) == "'Bearer realm=\"${AWS::StackName}\"'", name
            assert headers.pop("Access-Control-Expose-Headers", None) == "'WWW-Authenticate'", name
        assert headers == {}, name


def callers_are_not_told_why(template):
    responses = template.properties(REST)["Body"]["x-amazon-apigateway-gateway-responses"]
    for name, response in responses.items():
        for body in (response.get("responseTemplates") or {}).values():
            assert "$context" not in body and "$input" not in body, name


def websocket_authorizer_is_on_connect_only(template):
    authorizer = template.properties("WebSocketAuthorizer")
    # No identity source (the template says why); TTL, payload version and simple responses exist for HTTP APIs only.
    assert set(authorizer) == {"ApiId", "Name", "AuthorizerType", "AuthorizerUri"}
    assert authorizer["AuthorizerType"] == "REQUEST"
    assert text(authorizer["ApiId"]) == "${WebSocketApi}"
    assert template.properties("WebSocketApi")["ProtocolType"] == "WEBSOCKET"
    routes = template.of_type("AWS::ApiGatewayV2::Route").values()
    assert {
        route["RouteKey"]: (route.get("AuthorizationType"), text(route.get("AuthorizerId"))) for route in routes
    } == {"$connect": ("CUSTOM", "${WebSocketAuthorizer}"), "$default": (None, "None")}


def function_is_what_lambda_expects(template):
    function = template.properties(AUTHORIZER)
    assert function["Runtime"] == "provided.al2023"
    assert function["Architectures"] == ["arm64"]
    # An HTTP API waits 10 s for its authorizer.
    assert 5 <= function["Timeout"] < 10
    assert function["Handler"] == "bootstrap"
    assert template.written["Resources"][AUTHORIZER]["Metadata"] == {"BuildMethod": "makefile"}
    # What SAM then asks `make` for builds for the template's architecture.
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(rf"^build-{AUTHORIZER}:.*\n((?:\t.*\n)+)", makefile, flags=re.MULTILINE)
    assert recipe and re.search(r'package\.py --into "\$\(ARTIFACTS_DIR\)" arm64$', recipe[1], flags=re.MULTILINE)


def configuration_is_the_operators_own(template):
    variables = template.properties(AUTHORIZER)["Environment"]["Variables"]
    # Any other AUTHORIZER_* variable stops the function from starting.
    names = {"AUTHORIZER_ISSUER", "AUTHORIZER_AUDIENCE", "AUTHORIZER_PROFILE", "AUTHORIZER_JWKS_URI"}
    assert set(variables) == names | {"AUTHORIZER_API_KEY_TABLE", "AUTHORIZER_API_KEY_PREFIX"}
    assert text(variables["AUTHORIZER_PROFILE"]) == "${Profile}"
    schema = json.loads((REPOSITORY / "docs" / "authorizer.schema.json").read_text(encoding="utf-8"))
    profiles = [profile["const"] for profile in schema["$defs"]["Profile"]["oneOf"]]
    assert template.parameters["Profile"]["AllowedValues"] == profiles
    assert template.parameters["Profile"]["Default"] == "access_token"
    assert text(variables["AUTHORIZER_ISSUER"]) == "${Issuer}"
    assert text(variables["AUTHORIZER_AUDIENCE"]) == "${Audience}"
    for name in ("Issuer", "Audience"):
        assert "Default" not in template.parameters[name], f"{name}: the operator has to choose"
        assert "AllowedPattern" in template.parameters[name]
    for development in ("development", "events/", "127.0.0.1", "localhost", "PRIVATE KEY", "eyJ"):
        assert development not in template.source, development


def functions_can_write_their_own_log_and_nothing_else(template):
    for name, function in template.of_type("AWS::Lambda::Function").items():
        logs = function["LoggingConfig"]["LogGroup"]["Ref"]
        role = template.properties(function["Role"]["Fn::GetAtt"][0])
        assert "ManagedPolicyArns" not in role, name
        # What API keys need is a policy of its own, under its condition.
        (policy,) = role["Policies"]
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert statement == {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": {"Fn::GetAtt": [logs, "Arn"]},
        }, name


def there_is_a_table_of_api_keys_only_where_it_is_asked_for(template):
    """The function may read single items of it, and do nothing else; nobody's keys go with the stack."""
    assert template.parameters["ApiKeyPrefix"]["Default"] == ""
    assert template.written["Conditions"]["HasApiKeys"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "ApiKeyPrefix"}, ""]}],
    }
    of_keys = {name for name, resource in template.resources.items() if resource.get("Condition") == "HasApiKeys"}
    assert of_keys == {"ApiKeyTable", "ApiKeyTableReader"}
    assert set(template.of_type("AWS::DynamoDB::Table")) == {"ApiKeyTable"}
    assert set(template.of_type("AWS::IAM::RolePolicy")) == {"ApiKeyTableReader"}
    policy = template.properties("ApiKeyTableReader")
    assert policy["RoleName"] == {"Ref": "AuthorizerRole"}
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": "dynamodb:GetItem",
        "Resource": {"Fn::GetAtt": ["ApiKeyTable", "Arn"]},
    }
    resource, table = template.resources["ApiKeyTable"], template.properties("ApiKeyTable")
    assert (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")) == ("Retain", "Retain")
    # As the function asks, and as the tool makes it.
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "delete_at", "Enabled": True}
    variables = template.properties(AUTHORIZER)["Environment"]["Variables"]
    nothing = {"Ref": "AWS::NoValue"}
    assert variables["AUTHORIZER_API_KEY_TABLE"] == {"Fn::If": ["HasApiKeys", {"Ref": "ApiKeyTable"}, nothing]}
    assert variables["AUTHORIZER_API_KEY_PREFIX"] == {"Fn::If": ["HasApiKeys", {"Ref": "ApiKeyPrefix"}, nothing]}


def logs_expire(template):
    groups = template.of_type("AWS::Logs::LogGroup")
    assert groups
    for name, group in groups.items():
        assert group.get("RetentionInDays") == {"Ref": "LogRetentionDays"}, name
    assert template.parameters["LogRetentionDays"]["Default"] in template.parameters["LogRetentionDays"]["AllowedValues"]


def parameters_are_documented(template):
    for name, parameter in template.parameters.items():
        assert parameter.get("Description"), name


CHECKS = [
    check for name, check in list(globals().items()) if callable(check) and getattr(check, "__module__", "") == __name__
]
