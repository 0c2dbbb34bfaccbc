"""The gateway's console in a real browser, as a person uses it."""

import contextlib
import json
import os
import shutil
import urllib.error
import urllib.request

import pytest
from harness import REPOSITORY, accepts_connections, free_port, running, wait_for
from playwright.sync_api import expect, sync_playwright

BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
# It says nothing to anybody, and this machine may be its own root.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = "<img src=x onerror=window.struck=1>"


class Gateway:
    """A gateway that runs."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"

    def post(self, path, question):
        request = urllib.request.Request(f"{self.url}{path}", json.dumps(question).encode())
        request.add_header("Content-Type", "application/json")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return json.load(answer)

    def mint(self, **claims):
        return self.post("/_mint", {"claims": {"scope": "orders:read"} | claims})["token"]

    def send(self, path, token=None, method="GET"):
        """A request of another client's. The status."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        request = urllib.request.Request(f"{self.url}{path}", method=method, headers=headers)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code


@contextlib.contextmanager
def running_gateway(binary, directory, *arguments):
    port = free_port()
    command = [binary.with_name("authorizer"), "gateway", "--listen", f"127.0.0.1:{port}", *arguments]
    with running(command, directory, environment={}) as process:

        def is_there():
            assert process.poll() is None, (directory / "stderr").read_text()
            return accepts_connections(port)

        wait_for(is_there, "the gateway")
        yield Gateway(port)


@pytest.fixture
def gateway(binary, tmp_path):
    with running_gateway(binary, tmp_path, "--issuer", f"127.0.0.1:{free_port()}") as gateway:
        yield gateway


@pytest.fixture(scope="session")
def browser():
    named = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    assert named, (
        f"there is no browser: none of {', '.join(BROWSERS)} is on the PATH\n"
        "  hint: `make external` gets one from npm; or install Debian's `chromium`, or name one in CHROMIUM"
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=named, args=QUIET)
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(browser, gateway, **settings):
    """The page, which has nothing to complain of and asks nobody else."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | settings)
    page = context.new_page()
    complaints, strangers = [], []

    def complain(message):
        # A request that is refused is what the page is for; Chromium mentions it all the same.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            complaints.append(message.text)

    page.on("console", complain)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: strangers.append(request.url) if is_strange(request.url) else None)

    def is_strange(url):
        return not url.startswith((f"{gateway.url}/", "data:"))

    page.goto(f"{gateway.url}/_console")
    expect(page.locator("#stages li").first).to_be_visible()
    yield page
    assert page.evaluate("window.struck") is None
    assert page.evaluate("document.images.length") == 0
    names = page.evaluate("performance.getEntries().map((entry) => entry.name).filter((name) => name.includes('://'))")
    assert not [name for name in names if is_strange(name)] and not strangers, strangers
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0 and context.cookies() == []
    assert page.url.partition("#")[0] == f"{gateway.url}/_console"
    context.close()
    assert not complaints, complaints


@pytest.fixture
def page(browser, gateway):
    with opened(browser, gateway) as page:
        yield page


def mint(page, subject="user-7", scopes="orders:read", broken="", claims=""):
    before = page.locator("#callers input").count()
    if page.locator("#mint").get_attribute("open") is None:
        page.get_by_text("Mint a token").click()
    page.get_by_label("Subject", exact=True).fill(subject)
    page.get_by_label("Scopes", exact=True).fill(scopes)
    page.locator("#mint-broken").select_option(broken)
    page.get_by_label("Other claims").fill(claims)
    page.get_by_role("button", name="Mint").click()
    expect(page.locator("#callers input")).to_have_count(before + 1)
    expect(page.locator("#callers input").last).to_be_focused()


def choose(page, route):
    page.locator("#routes").get_by_role("button", name=route, exact=True).click()


def stage(page, name):
    return page.locator("#stages > li").filter(has=page.get_by_role("heading", name=name))


def verdict(page):
    return page.locator("#verdict")


def test_a_minted_token_is_shown_with_every_check(page):
    mint(page, claims='{"tenant": "acme"}')
    token = stage(page, "Token")
    expect(token).to_contain_text("checks passed")
    expect(token).to_contain_text('"tenant": "acme"')
    expect(token).to_contain_text('"alg": "ES256"')
    for check in ["signature", "iss", "aud", "exp"]:
        row = token.locator("#checks li").filter(has=page.locator(".name", has_text=check).first)
        expect(row.first).to_contain_text("passed:")
        expect(row.first).to_contain_text("wanted:")


@pytest.mark.parametrize(
    ("broken", "code"),
    [("expired", "token_expired"), ("wrong_key", "signature_invalid"), ("wrong_audience", "audience_mismatch")],
)
def test_a_refused_token_says_why_and_what_to_do(page, broken, code):
    mint(page, broken=broken)
    expect(verdict(page)).to_contain_text("401")
    expect(verdict(page)).to_contain_text(code)
    failed = stage(page, "Token").locator("#checks li").filter(has_text="failed:")
    expect(failed).to_contain_text([code])
    expect(failed.first).to_contain_text("Cause:")
    expect(failed.first).to_contain_text("What to do:")
    expect(page.locator("#callers")).to_contain_text(code)


def test_a_pasted_token_is_one_as_well(page, gateway):
    page.get_by_text("Paste a token").click()
    page.get_by_label("Token", exact=True).fill(f"Bearer {gateway.mint(sub='user-8')}")
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator("#callers")).to_contain_text("user-8")
    expect(verdict(page)).to_contain_text("200")
    assert page.get_by_label("Token", exact=True).input_value() == ""
    page.get_by_text("Paste a token").click()
    page.get_by_label("Token", exact=True).fill("abc")
    page.get_by_role("button", name="Look at it").click()
    expect(verdict(page)).to_contain_text("token_malformed")
    page.get_by_role("button", name="Forget token 2").click()
    expect(page.locator("#callers")).not_to_contain_text("token 2")


def test_a_decision_is_taken_apart(page):
    mint(page)
    choose(page, "GET /orders")
    expect(verdict(page)).to_contain_text("Allowed: by the rule read orders")
    expect(stage(page, "Event")).to_contain_text("/dev/GET/orders")
    expect(stage(page, "Credential")).to_contain_text("header Authorization, Bearer: found")
    expect(stage(page, "Rules")).to_contain_text("read orders allows this request")
    expect(stage(page, "Rules")).to_contain_text("scope orders:read")
    policy = stage(page, "Policy")
    expect(policy.locator(".resource", has_text="…/GET/orders")).to_contain_text(["by read orders"])
    expect(policy.locator(".resource", has_text="/users/user-7").first).to_contain_text("by own profile")
    expect(stage(page, "While it is cached")).to_contain_text("GET /users/user-7 the caller's own alone, by own profile")
    expect(stage(page, "Answer")).to_contain_text("the client gets 200")

    choose(page, "POST /orders")
    expect(verdict(page)).to_contain_text("403")
    expect(verdict(page)).to_contain_text("insufficient_scope")
    expect(stage(page, "Rules")).to_contain_text("write orders names this request, and is not for this caller")
    expect(stage(page, "Answer")).to_contain_text("What to do:")


def test_a_typed_request_is_explained_and_sent(page, gateway):
    mint(page)
    page.get_by_label("Path").fill("/users/user-7")
    page.get_by_label("Method").select_option("PUT")
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(verdict(page)).to_contain_text("Allowed: by the rule own profile")
    page.get_by_role("button", name="Send it").click()
    expect(page.locator("#sent")).to_have_text("PUT /users/user-7: the gateway answered 200.")
    expect(page.locator("#requests-list > li")).to_have_count(1)
    page.get_by_label("Path").fill("/nowhere")
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(verdict(page)).to_contain_text("no_route")


def test_nobody_is_refused_before_the_authorizer_is_asked(page):
    choose(page, "GET /orders")
    expect(verdict(page)).to_contain_text("identity_source_missing")
    expect(page.locator("#stages")).to_contain_text("the authorizer is not asked")


def test_the_matrix_tells_in_words_what_each_policy_opens(page):
    mint(page, subject="reader")
    mint(page, subject="writer", scopes="orders:write")
    mint(page, subject="late", broken="expired")
    table = page.locator("#matrix-table table")
    expect(table.locator("thead th")).to_contain_text(["Route", "nobody", "reader", "writer", "late"])
    rows = {
        "GET /orders": ["refused, 401", "allowed", "refused", "refused, 401"],
        "POST /orders": ["refused, 401", "refused", "allowed", "refused, 401"],
        "GET /users/{id}": ["refused, 401", "/users/reader", "/users/writer", "refused, 401"],
    }
    for route, cells in rows.items():
        row = table.locator("tbody tr").filter(has=page.get_by_role("rowheader", name=route, exact=True))
        expect(row.locator("td .cell > span:last-child")).to_have_text(cells)
    page.get_by_role("button", name="GET /users/{id} for writer: own only").click()
    expect(page.get_by_role("radio", name="writer")).to_be_checked()
    expect(verdict(page)).to_contain_text("GET /users/writer for writer")
    expect(page.locator("#decision")).to_be_focused()


def test_requests_appear_while_the_page_is_open(page, gateway):
    expect(page.locator("#live")).to_have_text("live")
    expect(page.locator("#no-requests")).to_be_visible()
    token = gateway.mint(sub="user-9", scope="orders:read")
    assert [gateway.send("/orders", token), gateway.send("/orders", token), gateway.send("/reports", token)] == [200, 200, 403]
    entries = page.locator("#requests-list > li")
    expect(entries).to_have_count(3)
    # The newest first.
    expect(entries.nth(0)).to_contain_text("not_in_cached_policy")
    expect(entries.nth(1)).to_contain_text("cache hit")
    expect(entries.nth(2)).to_contain_text("allow by read orders")
    button = entries.nth(2).get_by_role("button").first
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(entries.nth(2)).to_contain_text('"Version": "2012-10-17"')
    expect(entries.nth(2)).to_contain_text("user-9")
    assert token.rpartition(".")[2] not in page.content()
    page.keyboard.press("Enter")
    expect(entries.nth(2)).not_to_contain_text("2012-10-17")

    page.get_by_role("button", name="Pause").click()
    assert gateway.send("/nowhere") == 403
    wait_for(lambda: page.evaluate("stack.waiting.length") == 1, "the request, held back")
    expect(entries).to_have_count(3)
    page.get_by_role("button", name="Pause").click()
    expect(entries).to_have_count(4)


def test_the_keyboard_is_enough(page):
    def tab_to(selector):
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                assert page.evaluate("(selector) => document.activeElement.matches(':focus-visible')", selector)
                return
        raise AssertionError(f"the keyboard does not come to {selector}")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the decision")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the decision")).to_be_in_viewport()
    tab_to("#mint-subject")
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("typist")
    tab_to("#mint-form button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="typist")).to_be_focused()
    expect(verdict(page)).to_contain_text("200")
    tab_to("#routes button:nth-child(2)")
    page.keyboard.press("Space")
    expect(verdict(page)).to_contain_text("insufficient_scope")
    tab_to("#path")
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("/orders/8")
    page.get_by_label("Method").focus()
    page.keyboard.type("GET")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(verdict(page)).to_contain_text("Allowed: by the rule read orders")
    tab_to("#matrix-table button.own")
    page.keyboard.press("Enter")
    expect(page.locator("#decision")).to_be_focused()
    expect(verdict(page)).to_contain_text("/users/typist")
    page.get_by_role("radio", name="typist").focus()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name="nobody")).to_be_focused()
    expect(verdict(page)).to_contain_text("401")


def test_everything_has_a_name(page):
    mint(page)
    assert page.evaluate("""() => [...document.querySelectorAll("input, select, textarea")]
        .filter((field) => field.labels.length === 0).map((field) => field.id)""") == []
    assert page.evaluate("""() => [...document.querySelectorAll("button")]
        .filter((button) => button.textContent.trim() === "" && !button.ariaLabel).length""") == 0
    assert page.evaluate("document.documentElement.lang") == "en"
    for role in ["banner", "navigation", "main", "contentinfo"]:
        expect(page.get_by_role(role)).to_have_count(1)
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map((heading) => Number(heading.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(below - above <= 1 for above, below in zip(levels, levels[1:], strict=False)), levels


def test_hostile_text_is_text(page, gateway):
    mint(page, subject=HOSTILE, scopes="orders:read <b>", claims=json.dumps({HOSTILE: HOSTILE}))
    for place in ["#callers", "#matrix-table", "#verdict", "#stages"]:
        expect(page.locator(place)).to_contain_text(HOSTILE)
    assert gateway.send("/orders", gateway.mint(sub=HOSTILE)) == 200
    entry = page.locator("#requests-list > li").first
    entry.get_by_role("button").click()
    expect(entry).to_contain_text(HOSTILE)
    page.get_by_label("Path").fill(f"/{HOSTILE}")
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(HOSTILE)
    page.get_by_label("Path").fill("/orders/%3Cimg%20src=x%3E")
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(verdict(page)).to_contain_text("%3Cimg")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_page_that_was_broken_into_could_not_run_or_load_anything(browser, gateway):
    """The policy of the page's header, without which text that becomes HTML would be a script."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{gateway.url}/_console")
    for attempt in [
        "document.body.innerHTML = '<img src=x>'",
        "document.body.append(Object.assign(document.createElement('script'), { text: 'window.struck = 1' }))",
    ]:
        assert page.evaluate(f"() => {{ try {{ {attempt}; return false; }} catch {{ return true; }} }}"), attempt
    assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', (error) => error.name)") == "TypeError"
    blocked = page.evaluate("""() => new Promise((resolve) => {
        document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
        const image = document.createElement("img");
        image.src = "/orders";
        document.body.append(image);
    })""")
    assert blocked == "img-src"
    context.close()


# The ratio of text to what is behind it, of all text that is shown (WCAG 2.2, 1.4.3): the smallest.
CONTRAST = """() => {
    const parse = (colour) => colour.match(/[0-9.]+/g).map(Number);
    const light = ([red, green, blue]) => [red, green, blue].map((part) => part / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
        .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour.length < 4 || colour[3] > 0) return colour;
        }
        return [255, 255, 255];
    };
    const found = [];
    for (const element of document.querySelectorAll("body *")) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "");
        if (!own || element.getClientRects().length === 0 || element.closest(".unseen, script, style, option")) continue;
        const [one, other] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
        found.push([(one + 0.05) / (other + 0.05), element.outerHTML.slice(0, 90)]);
    }
    return found.sort(([a], [b]) => a - b)[0];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_by_day_and_by_night(browser, gateway, scheme):
    with opened(browser, gateway, color_scheme=scheme) as page:
        mint(page, broken="expired")
        mint(page)
        gateway.send("/orders")
        expect(page.locator("#requests-list > li")).to_have_count(1)
        page.locator("#requests-list button").first.click()
        choose(page, "POST /orders")
        expect(verdict(page)).to_contain_text("403")
        [ratio, where] = page.evaluate(CONTRAST)
        assert ratio >= 4.5, f"{ratio:.2f}: {where}"
        background = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)")
        assert (max(background) < 64) == (scheme == "dark")


def test_a_phone_shows_it_all(browser, gateway):
    with opened(browser, gateway, viewport={"width": 360, "height": 740}, has_touch=True) as page:
        mint(page, subject="a-subject-without-any-place-to-break-" * 3, scopes="orders:read " * 12)
        mint(page)
        gateway.send(f"/orders/{'long' * 40}")
        expect(page.locator("#requests-list > li")).to_have_count(1)
        page.locator("#requests-list button").first.click()
        for route in ["GET /orders", "POST /orders"]:
            choose(page, route)
            expect(verdict(page)).to_contain_text(route)
            assert page.evaluate("document.documentElement.scrollWidth") == 360
            # What was asked for is in sight.
            expect(verdict(page)).to_be_in_viewport()
        cut = page.evaluate("""() => [...document.querySelectorAll("button.cell")]
            .filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent)""")
        assert not cut, cut
        small = page.evaluate("""() => [...document.querySelectorAll("button, summary, select, input:not([type=radio])")]
            .filter((element) => element.getClientRects().length > 0 && element.getBoundingClientRect().height < 24)
            .map((element) => element.outerHTML.slice(0, 90))""")
        assert not small, small


def test_a_binary_is_explained_by_the_library_and_no_issuer_mints(browser, binary, tmp_path):
    configuration = REPOSITORY / "events" / "authorizer.toml"
    token = json.loads((REPOSITORY / "events" / "rest-token.json").read_text())["authorizationToken"]
    with running_gateway(binary, tmp_path, "--function", str(binary), "--config", str(configuration)) as gateway:
        with opened(browser, gateway) as page:
            expect(page.locator("#mint")).to_be_hidden()
            page.get_by_label("Token", exact=True).fill(token)
            page.get_by_role("button", name="Look at it").click()
            expect(verdict(page)).to_contain_text("200")
            expect(page.locator("#source")).to_contain_text("this tool's own library with the same configuration")
            assert gateway.send("/orders", token.removeprefix("Bearer ")) == 200
