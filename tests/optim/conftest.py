import pytest

PATHS = {"for-loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}


@pytest.fixture(params=PATHS.values(), ids=PATHS)
def path(request):
    """The options that choose each of torch's implementations of Adam."""
    return request.param
