"""An OpenID provider that we did not write, as its clients see it; openid_provider.mjs runs it."""

import base64
import contextlib
import hashlib
import http.cookiejar
import json
import os
import re
import secrets
import urllib.error
import urllib.parse
import urllib.request

from gateways import NODE_START
from harness import PATIENCE, REPOSITORY, encode, running, wait_for

CALLBACK = "https://shop.example/callback"
CLIENT = ("shop", "of-the-shop")
# Its tokens are bound to the certificate with which it asks for them.
TILL = ("till", "of-the-till")


class OpenidProvider:
    def __init__(self, url):
        self.url = url

    def client_credentials(self, algorithm, audience, scope="orders:read", client=CLIENT, headers=()):
        """An access token for the client itself (RFC 6749, section 4.4)."""
        form = {"grant_type": "client_credentials", "resource": resource(algorithm, audience), "scope": scope}
        return self.tokens(client, headers, **form)["access_token"]

    def authorization_code(self, user, algorithm=None, audience=None, scope="openid orders:read"):
        """All tokens for somebody who logs in and consents (RFC 6749, section 4.1; RFC 7636). Without an algorithm, the access token is
        opaque."""
        verifier = secrets.token_urlsafe(32)
        about = {"scope": scope} | ({"resource": resource(algorithm, audience)} if algorithm else {})
        challenge = encode(hashlib.sha256(verifier.encode()).digest())
        query = {"response_type": "code", "client_id": CLIENT[0], "redirect_uri": CALLBACK, "state": user, **about}
        query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        browser = Browser()
        page = browser.open(f"{self.url}/auth?{urllib.parse.urlencode(query)}")
        for form in [{"prompt": "login", "login": user, "password": "any"}, {"prompt": "consent"}]:
            [action] = re.findall(r'<form[^>]* action="([^"]+)"', page)
            page = browser.open(urllib.parse.urljoin(self.url, action), form)
        answer = urllib.parse.parse_qs(urllib.parse.urlsplit(browser.called_back).query)
        assert answer["state"] == [user] and answer["iss"] == [self.url]
        [code] = answer["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
        return self.tokens(**form, **about)

    def tokens(self, client=CLIENT, headers=(), **form):
        credentials = base64.b64encode(":".join(client).encode()).decode()
        status, text = send(f"{self.url}/token", form, {"Authorization": f"Basic {credentials}", **dict(headers)})
        assert status == 200, text
        return json.loads(text)

    def revoke(self, token):
        """It is not active any more (RFC 7009)."""
        credentials = base64.b64encode(":".join(CLIENT).encode()).decode()
        form = {"token": token, "token_type_hint": "access_token"}
        status, text = send(f"{self.url}/token/revocation", form, {"Authorization": f"Basic {credentials}"})
        assert status == 200, text

    def close(self):
        """It is gone."""
        send(f"{self.url}/close", "")

    def client_keys(self):
        """The private keys of the clients `keyed-…`, as JWKs, by their kinds."""
        return json.loads(send(f"{self.url}/client-keys")[1])

    def introspect(self, token):
        """What it says of a token to another client."""
        form = {"token": token, "client_id": "post", "client_secret": "of-the-post"}
        status, text = send(f"{self.url}/token/introspection", form)
        assert status == 200, text
        return json.loads(text)

    def rotate(self, *generations):
        """Publishes the keys of these generations from now on. The first of them signs."""
        status, _ = send(f"{self.url}/rotate", " ".join(generations))
        assert status == 200

    def fetches(self):
        """How often the key set was fetched."""
        return int(send(f"{self.url}/fetches")[1])


class Browser:
    """Keeps cookies and follows redirections, up to the client's."""

    def __init__(self):
        self.called_back = None
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        outer = self

        class Redirections(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, request, answer, code, message, headers, url):
                if url.startswith(CALLBACK):
                    outer.called_back = url
                    return None
                return super().redirect_request(request, answer, code, message, headers, url)

        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies, Redirections)

    def open(self, url, form=None):
        """The page at the end of the redirections."""
        body = None if form is None else urllib.parse.urlencode(form).encode()
        try:
            with self.opener.open(url, body, timeout=PATIENCE) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            assert self.called_back, f"{error.code} {text}"
            return text


@contextlib.contextmanager
def openid_provider(directory, **environment):
    environment |= {name: os.environ[name] for name in ("PATH", "NODE_PATH")}
    script = REPOSITORY / "tests" / "external" / "openid_provider.mjs"
    with running(["node", script], directory, environment) as process:
        output = directory / "stdout"
        wait_for(lambda: process.poll() is not None or output.read_text().endswith("\n"), "the provider", NODE_START)
        assert process.poll() is None, (directory / "stderr").read_text()
        [url] = re.findall(r"^issuer (\S+)$", output.read_text(), re.MULTILINE)
        yield OpenidProvider(url)


def resource(algorithm, audience):
    return f"https://{audience}.example/{algorithm}"


def send(url, form=None, headers=()):
    """The status and the text of the answer; a form is an object, or the very text."""
    body = None if form is None else (form if isinstance(form, str) else urllib.parse.urlencode(form)).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, body, dict(headers)), timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
