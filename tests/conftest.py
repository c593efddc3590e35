"""What every test stands on: settings before anything is imported, and one real DynamoDB engine for the whole run."""

import os

os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_DEFAULT_REGION="eu-west-1",
    BILLFOLD_PREFIX="billfold",
    BILLFOLD_SANDBOX="1",
    BILLFOLD_VAULT_KEYS="1",
    BILLFOLD_TOP_UPS="1000 JPY=150000",
    BILLFOLD_ISSUERS="2=sandbox 34=sandbox 37=sandbox 4=sandbox 5=sandbox",
    BILLFOLD_ADDRESSES="https://{api}.execute-api.eu-west-1.amazonaws.com/api https://api.example",
    BILLFOLD_BUCKET_PHOTOS="billfold-photos",
    BILLFOLD_CARD_READER="embedded",
    BILLFOLD_CONNECTIONS="64",
    # Nobody guesses these PINs; `rules/test_pins` hashes one as users' are hashed.
    BILLFOLD_PIN_COST="64 1",
    POWERTOOLS_LOG_LEVEL="INFO",
)
for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
    os.environ.pop(name, None)

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402
from moto import mock_aws  # noqa: E402

from tests.cloud import delivery, direct, scheduling, secret_store  # noqa: E402
from tests.cloud import queues as made_queues  # noqa: E402
from tests.cloud.engine import Engine  # noqa: E402
from tests.world import vault_keys  # noqa: E402

# The same cases each time, so that a failure is of what was changed; `pytest --hypothesis-profile=default` looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")


@pytest.fixture(scope="session", autouse=True)
def _secrets():
    """Where steps fetch the stage's secrets."""
    with secret_store.running():
        yield


@pytest.fixture(scope="session")
def engine():
    """A dynoxide process on loopback, ended by its own handle when the run is over."""
    with Engine() as running, direct.serving():
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = running.url
        yield running


@pytest.fixture
def store(engine, request):
    """Empty tables on the engine, with streams for the tests that follow them."""
    engine.empty(streams="queues" in request.fixturenames)
    return engine


@pytest.fixture
def queues(store):
    """The stage's queues, on moto, beside the tables on the engine; `tests.delivery` carries messages between them."""
    with mock_aws():
        client = made_queues.make()
        vault_keys.make("1")
        delivery.begin(store)
        yield client


def pytest_collection_modifyitems(items):
    """The slowest begin; a unit's tests stay in the order of their file."""
    items.sort(key=lambda item: scheduling.rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """One more than there are cores: the process with the end-to-end tests mostly waits for the local cloud."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Run in several processes, what shares something stays in one of them."""
    return scheduling.Scheduling(config, log)
