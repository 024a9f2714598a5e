"""What every explorer shares: its state in the address, reset, links, pictures, and controls that a link hides."""

import struct
import zlib
from xml.etree import ElementTree

import pytest
from gestures import ON_A_DESK, place, settled, unfold
from page_checks import excess, violations
from planting import HOME, trait
from playwright.sync_api import expect

from hilladam import widgets
from hilladam.widgets import (
    ClimbExplorer,
    CourseExplorer,
    HillExplorer,
    PhaseExplorer,
    RaceExplorer,
    ReturnMapExplorer,
    SeriesExplorer,
    SuccessMapExplorer,
)


def rests_at(page, hash):
    page.wait_for_function("hash => location.hash === hash", arg=hash)


def test_the_address_follows_and_a_link_reopens_the_state(plant):
    page = plant(fig=HillExplorer(loss="sixth", delta=1e-3))
    assert page.evaluate("location.hash") == ""
    page.get_by_role("slider", name="λ", exact=True).press("ArrowRight")
    rests_at(page, "#fig:lr=0.013")
    unfold(page)
    page.get_by_role("checkbox", name="momentum", exact=True).check()
    rests_at(page, "#fig:lr=0.013&optimizers=Hill-ADAM,Adam,momentum")
    page = plant(page.evaluate("location.hash"), fig=HillExplorer(loss="sixth", delta=1e-3))
    assert trait(page, "lr") == 0.013 and trait(page, "optimizers") == ["Hill-ADAM", "Adam", "momentum"]
    expect(page.get_by_role("slider", name="λ", exact=True)).to_have_attribute("aria-valuetext", "0.013")
    assert trait(page, "delta") == 1e-3
    page.get_by_role("button", name="Reset").click()
    rests_at(page, "")
    assert trait(page, "lr") == 0.01 and trait(page, "optimizers") == ["Hill-ADAM", "Adam"]


@ON_A_DESK
def test_every_explorer_reopens_from_its_link(plant):
    """Whatever the settings are, the link gives them back: here every one of them is another than at first."""
    for explorer in (HillExplorer, SeriesExplorer, PhaseExplorer, ClimbExplorer, ReturnMapExplorer, SuccessMapExplorer,
                     RaceExplorer, CourseExplorer):  # fmt: skip
        other = {
            HillExplorer: dict(loss="(x^2 - 1)^2 + 0.3x", optimizers=["NAdam"], start=-0.123456789012345, lr=1 / 3,
                               beta1=0.5, beta2=0.9, delta=0.0, gamma=float("inf"), steps=77, step=70, speed=20.0),
            SeriesExplorer: dict(t=3, beta1=0.1 + 0.2, beta2=0.5, start="first", silence=7, preset="own",
                                 gradients=[1.0, -0.1, 1e-7]),
            PhaseExplorer: dict(loss="tenth", sweeps=3, cell=(1, 30)),
            ClimbExplorer: dict(loss="sine", start=0.5, lr=0.02, beta1=0.5, delta=1e-7, step=3),
            ReturnMapExplorer: dict(loss="sixth", start=-0.3, lr=0.02, delta=1e-3, gamma=float("inf"), steps=99),
            SuccessMapExplorer: dict(loss="sine wave", cell=(99, 0), start=3.3),
            RaceExplorer: dict(course="camel", rival="Adam, restarted", contenders=["SGD", "CMA-ES"], evaluations=10),
            CourseExplorer: dict(loss="tenth", lr=1e-8, height=-12, width=7, start=1.5, gamma=float("inf"), steps=99),
        }[explorer]  # fmt: skip
        page = plant(fig=explorer())
        wanted = {name: explorer(**other).get_state()[name] for name in other}
        page.evaluate("wanted => models.fig.set(wanted)", wanted)
        page.wait_for_function("location.hash.startsWith('#fig:')")
        page = plant(page.evaluate("location.hash"), fig=explorer())
        for name, value in wanted.items():
            assert trait(page, name) == (list(value) if isinstance(value, tuple) else value), (explorer, name)


def test_several_explorers_share_an_address_and_a_place_on_the_page_stays(plant):
    both = {"fig-a": SeriesExplorer(), "fig-b": SeriesExplorer(preset="spike")}
    page = plant("#fig-b:t=5;fig-a:beta1=0.5", **both)
    assert trait(page, "t", "fig-b") == 5 and trait(page, "beta1", "fig-a") == 0.5
    assert trait(page, "t", "fig-a") == 30 and trait(page, "preset", "fig-b") == "spike"
    page.locator("#fig-b").get_by_role("slider", name="β₁").press("ArrowLeft")
    rests_at(page, "#fig-b:beta1=0.8&t=5;fig-a:beta1=0.5")
    page = plant("#elsewhere", **both)
    page.wait_for_timeout(600)
    assert page.evaluate("location.hash") == "#elsewhere"


def test_a_link_in_the_text_sets_the_explorer(plant):
    page = plant(fig=HillExplorer(loss="sixth"))
    page.evaluate("location.hash = '#fig:start=-0.4&step=120'")
    page.wait_for_function("models.fig.get('start') === -0.4")
    page.evaluate("location.hash = '#fig:lr=0.02'")  # says nothing of the start, so that is as it was at first
    page.wait_for_function("models.fig.get('lr') === 0.02 && models.fig.get('start') === 0.1")
    expect(page.get_by_role("slider", name="start")).to_have_attribute("aria-valuetext", "x = 0.1")


BAD = [
    "lr=-1", "lr=NaN", "lr=1e9", "lr=inf", "lr=", "lr=0x1", "steps=0", "steps=1.5", "steps=9999", "beta1=1",
    "optimizers=SGD", "optimizers=Adam,", "loss=x^3", "loss=<img src=x onerror=alert(1)>", "loss=constructor",
    "task=Send%20money", "presets=1", "settings=1", "__proto__=1", "hide=nothing", "%", "=", "lr=%",
    "loss=1e999x^2",
]  # fmt: skip


@ON_A_DESK
def test_what_a_trait_may_not_be_is_not_taken_from_an_address(plant):
    page = plant(f"#fig:{BAD[0]}", fig=HillExplorer(loss="sixth", task="Look."))
    opened = HillExplorer(loss="sixth", task="Look.").get_state()
    settings = HillExplorer.class_trait_names(setting=True)
    for words in BAD:
        page.evaluate("words => { location.hash = `#fig:${words}&start=-0.5`; }", words)
        page.wait_for_function("models.fig.get('start') === -0.5")
        state = page.evaluate("names => Object.fromEntries(names.map(name => [name, models.fig.get(name)]))", settings)
        assert state == {name: opened[name] for name in settings} | {"start": -0.5}, words
        page.evaluate("location.hash = '#fig:step=0'")
        page.wait_for_function("models.fig.get('start') === 0.1")
    expect(page.locator(".task")).to_contain_text("Look.")


def test_a_lecturer_hides_and_locks(plant):
    page = plant("#fig:lr=0.02&hide=delta,gamma,steps,beta1,beta2,rates&lock=lr,start", fig=HillExplorer(loss="sixth"))
    expect(page.get_by_role("slider", name="δ", exact=True)).to_be_hidden()
    expect(page.locator("details:not(.fold)")).to_be_hidden()  # nothing is left in it
    rate, start = page.get_by_role("slider", name="λ", exact=True), page.get_by_role("slider", name="start")
    expect(rate).to_be_disabled()
    start.press("ArrowLeft")
    assert trait(page, "start") == 0.1 and trait(page, "lr") == 0.02
    page.get_by_role("combobox", name="loss").select_option("tenth")  # would move the start too
    assert trait(page, "loss") == "tenth" and trait(page, "start") == 0.1
    page.get_by_role("button", name="Reset").click()
    assert trait(page, "loss") == "sixth" and trait(page, "lr") == 0.02
    rests_at(page, "#fig:lr=0.02&hide=delta,gamma,steps,beta1,beta2,rates&lock=lr,start")
    page.get_by_role("button", name="Link and pictures").click()
    page.get_by_role("button", name="show all controls").click()
    expect(page.get_by_role("slider", name="δ", exact=True)).to_be_visible()
    expect(rate).to_be_enabled()
    rests_at(page, "#fig:lr=0.02")


def test_a_lecturer_makes_a_link_that_hides_and_locks(plant):
    page = plant(fig=HillExplorer(loss="sixth"))
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    page.get_by_role("slider", name="λ", exact=True).press("ArrowRight")
    page.get_by_role("button", name="Link and pictures").click()
    page.get_by_role("button", name="hide or lock controls").click()
    page.get_by_role("combobox", name="delta", exact=True).select_option("hide")
    page.get_by_role("combobox", name="gamma", exact=True).select_option("hide")
    page.get_by_role("combobox", name="lr", exact=True).select_option("lock")
    page.get_by_role("button", name="copy link").click()
    link = page.get_by_role("textbox", name="link to this state")
    expect(link).to_have_value(f"{HOME}#fig:lr=0.013&hide=delta,gamma&lock=lr")
    expect(page.get_by_role("slider", name="δ", exact=True)).to_be_visible()  # here all stays as it is
    page = plant(link.input_value().removeprefix(HOME), fig=HillExplorer(loss="sixth"))
    expect(page.get_by_role("slider", name="δ", exact=True)).to_be_hidden()
    expect(page.get_by_role("slider", name="λ", exact=True)).to_be_disabled()


def test_only_what_the_lecturer_wants(plant):
    page = plant("#fig:only=start,step", fig=HillExplorer(loss="sixth"))
    expect(page.get_by_role("slider", name="λ", exact=True)).to_be_hidden()
    expect(page.get_by_role("slider", name="step", exact=True)).to_be_visible()
    expect(page.get_by_role("combobox", name="loss")).to_be_hidden()
    page.get_by_role("slider", name="start").press("ArrowLeft")
    assert trait(page, "start") != 0.1


def test_the_link_is_copied_by_keys(plant):
    page = plant(fig=HillExplorer(loss="sixth"))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("slider", name="λ", exact=True).press("ArrowRight")
    more = page.get_by_role("button", name="Link and pictures")
    more.press("Enter")
    expect(more).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Link copied.")
    assert page.evaluate("navigator.clipboard.readText()") == f"{HOME}#fig:lr=0.013"
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    expect(page.get_by_role("button", name="copy link")).to_be_hidden()
    for button in page.locator(".shared > button").all():
        box = place(button)
        assert box["width"] >= 44 and box["height"] >= 44


def test_where_the_clipboard_is_shut_the_link_is_there_to_copy(plant):
    page = plant(fig=HillExplorer(loss="sixth"))
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    page.get_by_role("button", name="Link and pictures").click()
    page.get_by_role("button", name="copy link").click()
    expect(page.get_by_role("textbox", name="link to this state")).to_have_value(HOME)


def saved(page, kind):
    page.get_by_role("button", name="Link and pictures").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name=f"save as {kind}").click()
    page.get_by_role("button", name="Link and pictures").click()
    assert waiting.value.suggested_filename == f"fig.{kind.lower()}"
    return waiting.value.path().read_bytes()


def test_the_picture_is_saved_as_svg(plant):
    page = plant("#fig:lr=0.02", fig=HillExplorer(loss="sixth", step=200))
    text = saved(page, "SVG").decode()
    root = ElementTree.fromstring(text)
    spaces = {"": "http://www.w3.org/2000/svg", "dc": "http://purl.org/dc/elements/1.1/"}
    assert root.findtext("title", namespaces=spaces) == "Explorer: optimizers on a hill"
    assert root.find(".//dc:source", spaces).text == f"{HOME}#fig:lr=0.02"
    assert len(root.findall("svg", spaces)) == 2  # both charts
    assert "class=" not in text and "var(" not in text and "rgba(" not in text
    assert 'stroke="rgb(0, 114, 178)"' in text, "not in the colours of a light page"
    page.set_content(f'<body style="margin:0">{text}</body>')  # with no style sheet
    shown = page.evaluate("""() => {
      const curve = document.querySelector("svg svg path[stroke-width='2px']");
      return [getComputedStyle(curve).fill, curve.getBoundingClientRect().width > 100];
    }""")
    assert shown == ["none", True]


def test_the_picture_is_saved_as_png(plant):
    page = plant("#fig:lr=0.02", fig=HillExplorer(loss="sixth", step=200))
    png, found, at = saved(page, "PNG"), {}, 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        data = png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length :][:4])[0] == zlib.crc32(kind + data), kind
        found.setdefault(kind, []).append(data)
        at += 12 + length
    words = dict(each.split(b"\0\0\0\0\0") for each in found[b"iTXt"])
    assert words[b"Source"].decode() == f"{HOME}#fig:lr=0.02"
    width, height = struct.unpack(">II", found[b"IHDR"][0][:8])
    assert width > 600 and height > 400
    colours = page.evaluate(
        """async bytes => {
      const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
      const context = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
      context.drawImage(picture, 0, 0);
      const seen = new Set(new Uint32Array(context.getImageData(0, 0, picture.width, picture.height).data.buffer));
      return [[...context.getImageData(1, 1, 1, 1).data], seen.size];
    }""",
        list(png),
    )
    assert colours[0] == [255, 255, 255, 255] and colours[1] > 50


def test_a_notebook_has_reset_and_pictures_but_no_link(plant):
    page = plant("#fig:lr=0.02", book=False, fig=HillExplorer(loss="sixth"))
    assert trait(page, "lr") == 0.01
    page.get_by_role("slider", name="λ", exact=True).press("ArrowRight")
    page.wait_for_timeout(600)
    assert page.evaluate("location.hash") == "#fig:lr=0.02"
    page.get_by_role("button", name="Link and pictures").click()
    expect(page.get_by_role("button", name="copy link")).to_be_hidden()
    expect(page.get_by_role("button", name="save as SVG")).to_be_visible()
    page.get_by_role("button", name="Reset").click()
    assert trait(page, "lr") == 0.01


@ON_A_DESK
@pytest.mark.parametrize("name", [name for name in widgets.__all__ if name.endswith("Explorer")])
def test_every_explorer_has_what_all_share(plant, axe, name):
    page = plant(fig=getattr(widgets, name)(task="A question?"))
    expect(page.locator(".hilladam")).to_contain_text("A question?")
    expect(page.get_by_role("button", name="Reset")).to_be_visible()
    page.get_by_role("button", name="Link and pictures").click()
    expect(page.get_by_role("button", name="copy link")).to_be_visible()
    assert violations(page, axe) == []
    assert excess(page) <= 0
    page.get_by_role("button", name="Link and pictures").click()
    assert b"<svg" in saved(page, "SVG")
    for width in (1360, 720, 390, 360, 320):
        page.set_viewport_size({"width": width, "height": 844})
        settled(page)
        assert excess(page) <= 0, width
    # It goes without a trace.
    assert page.evaluate("Object.values(heard).flat().length") > 5
    page.evaluate("away()")
    assert page.evaluate("Object.values(heard).flat().length") == 0
    settled(page)
