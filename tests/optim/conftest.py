import pytest
from hypothesis import settings

PATHS = {"for-loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}

# The same examples every time, however slow the machine.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


@pytest.fixture(params=PATHS.values(), ids=PATHS)
def path(request):
    """The options that choose each of torch's implementations of Adam."""
    return request.param
