"""What randomised round trips of the official Python client share: the client, its answers, and how trips are made.

SAUDA_HOST, SAUDA_KEY and SAUDA_SEED come from the environment.
"""

import os
import random
import sys
import traceback

import httpx
from openalgo import api

# The client makes a TLS context for every request, a tenth of a second each; over one connection it sends the same.
connection = httpx.Client(timeout=60)
httpx.post = connection.post
httpx.get = connection.get

client = api(api_key=os.environ["SAUDA_KEY"], host=os.environ["SAUDA_HOST"])
seed = int(os.environ["SAUDA_SEED"])
rng = random.Random(seed)


def done(answer):
    assert isinstance(answer, dict) and answer.get("status") == "success", f"expected success, got {answer!r}"
    return answer


def refused(answer, text):
    assert isinstance(answer, dict) and answer.get("status") == "error", f"expected a refusal, got {answer!r}"
    assert text in answer["message"], f"expected {text!r} in {answer!r}"


def equal(actual, expected):
    assert actual == expected, f"expected {expected!r}, got {actual!r}"


def make_trips(names, rounds):
    """Makes every function of `names` that is called trip_…, in mixed order, so many times; prints a line for each, and exits."""
    trips = {name.removeprefix("trip_"): trip for name, trip in names.items() if name.startswith("trip_")}
    failures = {}
    for _ in range(rounds):
        for name in rng.sample(list(trips), len(trips)):
            if name in failures:
                continue
            try:
                trips[name]()
            except Exception:
                failures[name] = traceback.format_exc()
        if len(failures) == len(trips):
            break
    for name in trips:
        if name in failures:
            print(f"FAILED python: {rounds} round trips of {name} (SAUDA_SEED={seed})\n{failures[name]}", flush=True)
        else:
            print(f"ok python: {rounds} round trips of {name}", flush=True)
    sys.exit(1 if failures else 0)
