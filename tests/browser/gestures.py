"""What a reader does to an explorer, by keys, with the mouse and a finger, and how the page keeps up."""

from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

ON_A_DESK = pytest.mark.parametrize("view", ["light-desktop"], indirect=True)
ON_A_PHONE = pytest.mark.parametrize("view", ["dark-phone"], indirect=True)
FRAMES = """() => {
  window.frames_ = 0;
  const next = () => { frames_ += 1; window.going = requestAnimationFrame(next); };
  window.going = requestAnimationFrame(next);
}"""


# Ten million steps of the logistic map, one after the other: some 25 ms of a processor of 2024.
YARDSTICK = "() => { let x = 0.3; for (let i = 0; i < 1e7; i++) x = 3.9 * x * (1 - x); return x; }"


@contextmanager
def frames(page):
    """What the page itself works for a frame, meanwhile, in yardsticks: a list that is filled at the end.

    It is its main thread's time of the processor, so that nobody else who is busy here has a part in it.
    """
    watched = page.context.new_cdp_session(page)
    watched.send("Performance.enable", {"timeDomain": "threadTicks"})

    def works(script):
        before = worked()
        page.evaluate(script)
        return worked() - before

    def worked():
        metrics = watched.send("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in metrics if each["name"] == "TaskDuration")

    yardstick = min(works(YARDSTICK) for _ in range(3))  # the first is compiled meanwhile
    page.evaluate(FRAMES)
    before, cost = worked(), []
    yield cost
    settled(page)  # so that there are two frames, however late
    cost.append((worked() - before) / page.evaluate("cancelAnimationFrame(going), frames_") / yardstick)
    watched.detach()


def settled(page):
    """Wait until what has changed is drawn: explorers draw before the next frame."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def place(shown):
    """Where something is, once what has changed is drawn: before that it may be about to be replaced."""
    settled(shown.page)
    return shown.bounding_box()


def middle(handle):
    handle.scroll_into_view_if_needed()
    box = place(handle)
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def unfold(page):
    """Open what a phone has folded."""
    page.evaluate("document.querySelectorAll('details.fold').forEach((fold) => (fold.open = true))")


def press(page, handle, *keys):
    """Press keys on something, and see whether it says something new after each."""
    handle.focus()
    for key in keys:
        before = handle.get_attribute("aria-valuetext")
        page.keyboard.press(key)
        expect(handle).not_to_have_attribute("aria-valuetext", before)


def drag(page, start, across, up):
    """Drag with the mouse from a place, by so many pixels."""
    x, y = start
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + across, y - up, steps=10)
    page.mouse.up()


def pull(page, handle, across, up):
    """Drag something by its middle, and see whether it says something new."""
    before = handle.get_attribute("aria-valuetext")
    drag(page, middle(handle), across, up)
    expect(handle).not_to_have_attribute("aria-valuetext", before)


def swipe(page, start, across, up, moves=11):
    """Drag with a finger, in its own time."""
    x, y = start
    touch = page.context.new_cdp_session(page)

    def send(kind, *points):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    send("touchStart", {"x": x, "y": y})
    for i in range(moves + 1):
        page.wait_for_timeout(16)
        send("touchMove", {"x": x + across * i / moves, "y": y - up * i / moves})
    send("touchEnd")
