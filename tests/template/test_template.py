"""The checks hold for template.yaml, and each of them fails for a template that has the fault it is about."""

import pytest
from checks import CHECKS
from translated import TEMPLATE, Template, mutated

SOURCE = TEMPLATE.read_text(encoding="utf-8")

# (the check that must notice, what is wrong, pattern, replacement). In the order of checks.py.
MUTATIONS = [
    (
        "may_be_invoked_by_the_three_apis_and_by_nothing_else",
        "HTTP API without permission",
        r"EnableFunctionDefaultPermissions: true",
        "EnableFunctionDefaultPermissions: false",
    ),
    (
        "may_be_invoked_by_the_three_apis_and_by_nothing_else",
        "HTTP API with SAM's default",
        r"^ *EnableFunctionDefaultPermissions: true\n",
        "",
    ),
    (
        "may_be_invoked_by_the_three_apis_and_by_nothing_else",
        "REST API without permission",
        r"^( *)FunctionPayloadType: TOKEN",
        r"\1FunctionPayloadType: TOKEN\n\1DisableFunctionDefaultPermissions: true",
    ),
    (
        "may_be_invoked_by_the_three_apis_and_by_nothing_else",
        "WebSocket API without permission",
        r"^  WebSocketAuthorizerPermission:\n(    .*\n)+",
        "",
    ),
    (
        "may_be_invoked_by_the_three_apis_and_by_nothing_else",
        "WebSocket permission for routes in place of the authorizer",
        r"authorizers/\$\{WebSocketAuthorizer\}",
        "*/$connect",
    ),
    (
        "may_be_invoked_by_the_three_apis_and_by_nothing_else",
        "anyone's API may invoke",
        r"^      SourceArn: .*/authorizers/.*\n",
        "",
    ),
    (
        "backends_may_be_invoked_by_their_routes",
        "WebSocket backend without permission",
        r"^  WebSocketBackendPermission:\n(    .*\n)+",
        "",
    ),
    (
        "every_authorizer_calls_the_function",
        "WebSocket authorizer calls the backend",
        r"\$\{AuthorizerFunction.Arn\}/invocations",
        "${WebSocketBackend.Arn}/invocations",
    ),
    (
        "every_authorizer_calls_the_function",
        "REST and HTTP authorizers call a backend",
        r"FunctionArn: !GetAtt AuthorizerFunction.Arn",
        "FunctionArn: !GetAtt HttpBackend.Arn",
    ),
    (
        "ttl_is_explicit_and_within_the_limit",
        "TTL 9999",
        r"ReauthorizeEvery: .*",
        "ReauthorizeEvery: 9999",
    ),
    (
        "ttl_is_explicit_and_within_the_limit",
        "TTL left to API Gateway",
        r"^ *ReauthorizeEvery: .*\n",
        "",
    ),
    (
        "ttl_is_explicit_and_within_the_limit",
        "parameter allows more than an hour",
        r"MaxValue: 3600",
        "MaxValue: 86400",
    ),
    (
        "ttl_is_explicit_and_within_the_limit",
        "parameter without bounds",
        r"^ *M(in|ax)Value: .*\n",
        "",
    ),
    (
        "rest_has_a_token_and_a_request_authorizer",
        "both TOKEN",
        r"FunctionPayloadType: REQUEST\n(.*\n.*\n) *Headers: .*\n",
        r"FunctionPayloadType: TOKEN\n\1",
    ),
    (
        "identity_sources_are_the_authorization_header",
        "another header for TOKEN",
        r"Header: Authorization",
        "Header: X-Token",
    ),
    (
        "identity_sources_are_the_authorization_header",
        "another header for REQUEST",
        r"Headers: \[Authorization\]",
        "Headers: [X-Token]",
    ),
    (
        "identity_sources_are_the_authorization_header",
        "a second source, which every caller would have to send",
        r"Headers: \[Authorization\]",
        "Headers: [Authorization, X-Tenant]",
    ),
    (
        "validation_expression_is_anchored_and_lets_every_bearer_token_pass",
        "no end anchor",
        r"\]\+=\*\$",
        "]+=*",
    ),
    (
        "validation_expression_is_anchored_and_lets_every_bearer_token_pass",
        "one spelling of the scheme",
        r"\[Bb\]\[Ee\]\[Aa\]\[Rr\]\[Ee\]\[Rr\]",
        "Bearer",
    ),
    (
        "http_api_answers_are_policies_in_format_2",
        "payload version as a number",
        r'AuthorizerPayloadFormatVersion: "2.0"',
        "AuthorizerPayloadFormatVersion: 2.0",
    ),
    (
        "http_api_answers_are_policies_in_format_2",
        "payload version 1.0",
        r'AuthorizerPayloadFormatVersion: "2.0"',
        'AuthorizerPayloadFormatVersion: "1.0"',
    ),
    (
        "http_api_answers_are_policies_in_format_2",
        "simple responses",
        r"EnableSimpleResponses: false",
        "EnableSimpleResponses: true",
    ),
    (
        "http_api_answers_are_policies_in_format_2",
        "integration in format 1.0",
        r'^( *)PayloadFormatVersion: "2.0"',
        r'\1PayloadFormatVersion: "1.0"',
    ),
    (
        "every_method_has_its_authorizer",
        "no default authorizer on the REST API",
        r"^ *DefaultAuthorizer: TokenAuthorizer\n",
        "",
    ),
    (
        "every_method_has_its_authorizer",
        "no default authorizer on the HTTP API",
        r"^ *DefaultAuthorizer: LambdaAuthorizer\n",
        "",
    ),
    (
        "every_method_has_its_authorizer",
        "a REST method opened",
        r"Authorizer: RequestAuthorizer",
        "Authorizer: NONE",
    ),
    (
        "every_method_has_its_authorizer",
        "an HTTP route opened",
        r'^( *)PayloadFormatVersion: "2.0"',
        r'\1PayloadFormatVersion: "2.0"\n\1Auth: { Authorizer: NONE }',
    ),
    (
        "every_method_has_its_authorizer",
        "a route without authorizer added",
        r"^          /health:",
        "          /admin:\n            get: { security: [{ NONE: [] }], responses: {} }\n          /health:",
    ),
    (
        "preflight_needs_no_token",
        "SAM's default for preflight",
        r"^ *AddDefaultAuthorizerToCorsPreflight: false\n",
        "",
    ),
    (
        "preflight_needs_no_token",
        "no CORS on the REST API",
        r"^      Cors:\n(        .*\n)+",
        "",
    ),
    (
        "preflight_needs_no_token",
        "a route of the HTTP API that catches preflights",
        r"^(            ApiId: !Ref HttpApi\n            Path: /orders\n) *Method: get",
        r"\1            Method: any",
    ),
    (
        "health_is_open_and_answered_without_a_function",
        "health behind the authorizer",
        r"^ *security: \[\{ NONE: \[\] \}\]\n",
        "",
    ),
    (
        "health_is_open_and_answered_without_a_function",
        "health answered by a function",
        r"^( *)type: mock\n",
        r"\1type: aws_proxy\n\1uri: !GetAtt HttpBackend.Arn\n",
    ),
    (
        "gateway_responses_carry_the_headers",
        "no challenge",
        r"^ *WWW-Authenticate: .*\n",
        "",
    ),
    (
        "gateway_responses_carry_the_headers",
        "a header value that API Gateway reads as a mapping",
        r'''"'\$\{CorsOrigin\}'"''',
        '"${CorsOrigin}"',
    ),
    (
        "gateway_responses_carry_the_headers",
        "one of the two authorizer failures forgotten",
        r"^        AUTHORIZER_CONFIGURATION_ERROR:\n(          .*\n)+",
        "",
    ),
    (
        "callers_are_not_told_why",
        "the reason in the body",
        r'\{"message":"Forbidden"\}',
        '{"message":"$context.authorizer.reason"}',
    ),
    (
        "websocket_authorizer_is_on_connect_only",
        "$connect open",
        r"^      AuthorizationType: CUSTOM\n      AuthorizerId: .*\n",
        "",
    ),
    (
        "websocket_authorizer_is_on_connect_only",
        "authorizer on $default",
        r"^      RouteKey: \$default",
        "      RouteKey: $default\n      AuthorizationType: CUSTOM\n      AuthorizerId: !Ref WebSocketAuthorizer",
    ),
    (
        "websocket_authorizer_is_on_connect_only",
        "an identity source that browsers cannot send",
        r"^      AuthorizerType: REQUEST",
        "      AuthorizerType: REQUEST\n      IdentitySource: [route.request.header.Authorization]",
    ),
    (
        "websocket_authorizer_is_on_connect_only",
        "a TTL",
        r"^      AuthorizerType: REQUEST",
        "      AuthorizerType: REQUEST\n      AuthorizerResultTtlInSeconds: 300",
    ),
    (
        "websocket_authorizer_is_on_connect_only",
        "a JWT authorizer",
        r"AuthorizerType: REQUEST",
        "AuthorizerType: JWT",
    ),
    (
        "function_is_what_lambda_expects",
        "a timeout longer than API Gateway waits",
        r"Timeout: 8",
        "Timeout: 10",
    ),
    (
        "function_is_what_lambda_expects",
        "the retired runtime",
        r"provided\.al2023",
        "provided.al2",
    ),
    (
        "function_is_what_lambda_expects",
        "the other architecture",
        r"^( *Runtime: provided.al2023\n *)Architectures: \[arm64\]",
        r"\1Architectures: [x86_64]",
    ),
    (
        "function_is_what_lambda_expects",
        "built in SAM's own way, which is dynamic",
        r"BuildMethod: makefile",
        "BuildMethod: rust-cargolambda",
    ),
    (
        "configuration_is_the_operators_own",
        "the configuration of the development issuer",
        r"^( *)AUTHORIZER_ISSUER: .*",
        r"\1AUTHORIZER_CONFIG_FILE: events/authorizer.toml",
    ),
    (
        "configuration_is_the_operators_own",
        "an issuer nobody chose",
        r"^  Issuer:\n    Type: String",
        "  Issuer:\n    Type: String\n    Default: https://login.example.com/",
    ),
    (
        "functions_can_write_their_own_log_and_nothing_else",
        "every log group",
        r"Resource: !GetAtt AuthorizerLogs.Arn",
        'Resource: "*"',
    ),
    (
        "functions_can_write_their_own_log_and_nothing_else",
        "SAM's role",
        r"^      Role: .*\n",
        "",
    ),
    (
        "there_is_a_table_of_api_keys_only_where_it_is_asked_for",
        "a table for everybody",
        r"^(    Type: AWS::DynamoDB::Table\n)    Condition: HasApiKeys\n",
        r"\1",
    ),
    (
        "there_is_a_table_of_api_keys_only_where_it_is_asked_for",
        "a prefix that nobody chose",
        r"^(  ApiKeyPrefix:\n    Type: String\n)    Default: .*\n",
        r"\1    Default: orders\n",
    ),
    (
        "there_is_a_table_of_api_keys_only_where_it_is_asked_for",
        "the right to read all of it",
        r"Action: dynamodb:GetItem",
        "Action: [dynamodb:GetItem, dynamodb:Scan]",
    ),
    (
        "there_is_a_table_of_api_keys_only_where_it_is_asked_for",
        "every table",
        r"Resource: !GetAtt ApiKeyTable.Arn",
        'Resource: "*"',
    ),
    (
        "there_is_a_table_of_api_keys_only_where_it_is_asked_for",
        "keys that go with the stack",
        r"^    DeletionPolicy: Retain\n",
        "",
    ),
    (
        "logs_expire",
        "kept for ever",
        r"^      RetentionInDays: .*\n",
        "",
    ),
    (
        "parameters_are_documented",
        "no description",
        r"^    Description: The `iss`.*\n|^    Description: The token's `iss`.*\n",
        "",
    ),
]


@pytest.fixture(scope="module")
def template():
    return Template(SOURCE)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_holds(check, template):
    check(template)


@pytest.mark.parametrize(
    ("name", "fault", "pattern", "replacement"),
    MUTATIONS,
    ids=[f"{name}: {fault}" for name, fault, _, _ in MUTATIONS],
)
def test_notices(name, fault, pattern, replacement):
    (check,) = [check for check in CHECKS if check.__name__ == name]
    faulty = Template(mutated(SOURCE, pattern, replacement))
    with pytest.raises(AssertionError):
        check(faulty)


def test_every_check_has_a_fault_that_it_notices():
    assert {name for name, _, _, _ in MUTATIONS} == {check.__name__ for check in CHECKS}


@pytest.mark.parametrize("seconds", ["0", "3600"])
def test_the_cache_parameter_reaches_every_authorizer(seconds):
    template = Template(SOURCE, {"AuthorizerCacheSeconds": seconds})
    for authorizer in template.authorizers("RestApi").values():
        assert str(authorizer["authorizerResultTtlInSeconds"]) == seconds
    for authorizer in template.authorizers("HttpApi").values():
        assert authorizer["authorizerResultTtlInSeconds"] in ({"Ref": "AuthorizerCacheSeconds"}, int(seconds), seconds)
