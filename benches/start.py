"""What the start of the function costs, by where its keys come from: wall time and processor time of many starts.

    start.py [--rounds N] [--again] [NAME=]BINARY...

Every round starts every binary in every way, in an order of chance, so that all see the same machine. The first event
waits for each, as it does on Lambda. `make start-cost` builds the binary and runs this. docs/start.md has results.
"""

import argparse
import contextlib
import json
import multiprocessing
import queue
import random
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "external"))

import jwt  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from harness import PATIENCE, KeyServer, RuntimeApi, lambda_environment, token_event, with_header  # noqa: E402
from issuer import Issuer, configured, table  # noqa: E402
from tls import Authority, TlsKeyServer  # noqa: E402

BASE = "jwks_file"


class TimedRuntimeApi(RuntimeApi):
    """Notes when it is first asked for an event, and when and at what cost an answer comes."""

    def __init__(self):
        super().__init__()
        self.pid = None
        self.polled_at = None

    def get(self, handler):
        self.polled_at = self.polled_at or time.monotonic()
        super().get(handler)

    def post(self, handler, body):
        answered_at = time.monotonic()
        # While the function waits for this request's end.
        cpu = cpu_milliseconds(self.pid)
        self.send(handler, 202)
        self.posts.put((answered_at, cpu, handler.path, body))


def cpu_milliseconds(pid):
    """User and system time of all threads. `stat` counts in steps of 10 ms, `schedstat` in nanoseconds."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e6


def serve(keys, credentials, ready, end):
    """The key servers: http, https, and https without the tickets that let a session be resumed."""
    certificate, key = credentials
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(KeyServer())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        without_tickets = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        without_tickets.load_cert_chain(certificate, key)
        without_tickets.num_tickets = 0
        servers = [stack.enter_context(TlsKeyServer(tls)) for tls in (context, without_tickets)]
        ready.put([server.publish("/keys", keys) for server in (plain, *servers)])
        end.wait()


@contextlib.contextmanager
def key_servers(directory, keys):
    """The URLs of the key sets, by servers in a process of their own; and the authority."""
    authority = Authority("private root")
    credentials = authority.vouch()
    for name, text in [("server.pem", credentials.pem), ("server.key", credentials.private_pem)]:
        (directory / name).write_text(text)
    methods = multiprocessing.get_context("spawn")
    ready, end = methods.Queue(), methods.Event()
    paths = tuple(str(directory / name) for name in ("server.pem", "server.key"))
    process = methods.Process(target=serve, args=(keys, paths, ready, end), daemon=True)
    process.start()
    try:
        yield ready.get(timeout=PATIENCE), authority
    finally:
        end.set()
        process.join(PATIENCE)


def ways(directory, issuer, urls, keys, authority):
    """The configurations, each in a directory of its own, by name."""
    plain, tls, without_tickets = urls
    ca, cool = {"ca_file": "ca.pem"}, "[key_set]\ncooldown_seconds = 1"
    dated = json.dumps({"issuer": issuer.url, "fetched_at": int(time.time()), "keys": keys})
    tables = {
        BASE: [table(issuer, jwks_file="keys.json")],
        "initial_jwks_file, then TLS": [table(issuer, jwks_uri=tls, initial_jwks_file="keys.json", **ca)],
        "plain http": ["development = true", table(issuer, jwks_uri=plain)],
        "plain http, with ca_file": ["development = true", table(issuer, jwks_uri=plain, **ca)],
        "TLS at the start": [table(issuer, jwks_uri=tls, **ca)],
        "TLS at the first request": [table(issuer, jwks_uri=tls, **ca), "[key_set]\ninit_milliseconds = 0"],
    }
    again = {
        "TLS again, resumed": [table(issuer, jwks_uri=tls, **ca), cool],
        "TLS again, anew": [table(issuer, jwks_uri=without_tickets, **ca), cool],
        "plain http again": ["development = true", table(issuer, jwks_uri=plain), cool],
    }

    def prepared(settings):
        prepared = {}
        for name, parts in settings.items():
            place = directory / str(uuid.uuid4())
            prepared[name] = configured(place, *parts, ca=authority.pem)
            (place / "keys.json").write_text(dated)
        return prepared

    return prepared(tables), prepared(again)


@contextlib.contextmanager
def started(binary, environment):
    with TimedRuntimeApi() as api:
        before = time.monotonic()
        process = subprocess.Popen(
            [binary],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=lambda_environment(api) | environment,
        )
        api.pid = process.pid
        try:
            yield api, before
        finally:
            process.kill()
            process.wait(PATIENCE)


def ask(api, token):
    api.events.put((str(uuid.uuid4()), json.dumps(token_event(f"Bearer {token}")).encode()))


def answer(api, effect):
    answered_at, cpu, path, body = api.posts.get(timeout=PATIENCE)
    if f'"Effect":"{effect}"' not in body.decode():
        raise SystemExit(f"not what was to be measured: {path}: {body.decode()}")
    return answered_at, cpu


def start(binary, environment, token):
    """Milliseconds to the first poll, to the first answer, and of processor until then."""
    with started(binary, environment) as (api, before):
        ask(api, token)
        answered_at, cpu = answer(api, "Allow")
        return (api.polled_at - before) * 1000, (answered_at - before) * 1000, cpu


def fetch_again(binary, environment, token):
    """Milliseconds of processor for an event whose key is unknown, and so of a second fetch."""
    with started(binary, environment) as (api, _):
        ask(api, token)
        _, before = answer(api, "Allow")
        # The cool-down is a second.
        time.sleep(1.1)
        ask(api, with_header(token, kid="unknown"))
        _, after = answer(api, "Deny")
        return (after - before,)


def measure(rounds, binaries, environments, once, token):
    """All samples, by binary and way. The first round is thrown away: it fills the machine's caches."""
    cells = [(binary, way) for binary in binaries for way in environments]
    samples = {cell: [] for cell in cells}
    for number in range(rounds + 1):
        for binary, way in random.sample(cells, len(cells)):
            sample = once(binaries[binary], environments[way], token)
            if number:
                samples[binary, way].append(sample)
    return samples


def show(samples, titles, base):
    """Medians with their quartiles, and the median of the ratios to `base` of the same round."""
    print(f"\n{'':38}" + "".join(f"{title:>34}" for title in titles))
    for cell, values in samples.items():
        columns = []
        for place in range(len(titles)):
            own = [value[place] for value in values]
            ratios = [value[place] / other[place] for value, other in zip(values, samples[base], strict=True)]
            low, middle, high = statistics.quantiles(own, n=4)
            columns.append(f"{middle:9.2f} ({low:6.2f} to {high:6.2f}) x{statistics.median(ratios):5.2f}")
        print(f"{' '.join(cell):38}" + "".join(f"{column:>34}" for column in columns))


def named(text):
    name, _, path = text.rpartition("=")
    return name, shutil.which(Path(path).resolve()) or sys.exit(f"{path}: no program")


def main():
    parser = argparse.ArgumentParser(description="What the start of the function costs.")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--again", action="store_true", help="also what a second fetch costs, with a session resumed")
    parser.add_argument("binaries", nargs="+", type=named, metavar="[NAME=]BINARY")
    arguments = parser.parse_args()
    binaries = dict(arguments.binaries)
    key = ec.generate_private_key(ec.SECP256R1())
    keys = [jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": Issuer.key_id}]
    with tempfile.TemporaryDirectory() as directory, key_servers(Path(directory), keys) as (urls, authority):
        issuer = Issuer(None, key)
        token = issuer.token(exp=int(time.time()) + 86_400)
        starts, again = ways(Path(directory), issuer, urls, keys, authority)
        first = next(iter(binaries))
        print(f"{arguments.rounds} rounds; milliseconds: median (quartiles) x median of the ratios to the first line")
        samples = measure(arguments.rounds, binaries, starts, start, token)
        show(samples, ["to the first poll", "to the first answer", "processor"], (first, BASE))
        if arguments.again:
            samples = measure(max(arguments.rounds // 4, 10), binaries, again, fetch_again, token)
            show(samples, ["processor"], (first, "TLS again, anew"))


if __name__ == "__main__":
    main()
