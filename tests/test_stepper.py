"""The moving pictures: their numbers are those of the sweep, no text breaks them, and a real browser plays them."""

import json
import re
import shutil
import time
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import autograd_mini as ag
from autograd_mini.core import sweep
from autograd_mini.draw import draw
from autograd_mini.draw.animation import animate
from autograd_mini.draw.dot import plain
from autograd_mini.draw.stepper import page
from autograd_mini.draw.theme import PALETTE
from autograd_mini.draw.walks import shown
from tests.test_draw import HOSTILE, assert_safe, edges, mlp, neuron


def diamond():
    """A shared operation: the naive walk sends it on when half of its gradient has come."""
    x, w = ag.Tensor(1.5), ag.Tensor(0.5)
    a = x * w
    b, c = ag.sin(a), ag.exp(a)
    y = b * c
    return y, {"x": x, "w": w, "a": a, "b": b, "c": c, "y": y}


def leaves():
    """Nothing but a leaf is shared, by parallel edges too."""
    x = ag.Tensor(1.5)
    return x * x * ag.sin(x) + x, {"x": x}


def assorted():
    """Any number of operands, parameters, broadcasting, constants, an update in place, an output with axes."""
    x, w, s = ag.Tensor([[1.0, 2.0], [3.0, 4.0]]), ag.Tensor([0.5, -1.0]), ag.Tensor(2.0)
    y = ag.concatenate([x * w + 1.0, x, np.ones((1, 2))]) * s
    z = y * 1.0
    z[0] = w
    return ag.einsum("ij,kj->ik", z, y) + ag.sum(z, axis=1, keepdims=True), {"x": x, "w": w, "s": s}


SAMPLES = {f.__name__: f for f in (neuron, mlp, diamond, leaves, assorted)}


@pytest.fixture(params=SAMPLES)
def sample(request):
    """An output and its names."""
    return SAMPLES[request.param]()


# -- the walks -------------------------------------------------------------------------------------


def test_the_steps_are_those_of_the_sweep(sample):
    output, names = sample
    walks = draw(output, names=names).walks
    found = [(shown(ct), bool(node.op)) for node, ct in sweep(output, np.ones_like(output.value)[()])]
    assert [step.gradient for step in walks.sweep] == [text for text, op in found if op]
    assert sorted(walks.totals.values()) == sorted(text for text, _ in found)
    assert list(walks.totals.values())[: len(walks.sweep)] == [step.gradient for step in walks.sweep]


def test_contributions_add_up_to_the_gradients(sample):
    output, names = sample
    walks = draw(output, names=names).walks
    got, count = {walks.sweep[0].card: walks.sweep[0].gradient}, dict.fromkeys(walks.uses, 0)
    for step in walks.sweep:
        assert step.gradient == got[step.card]
        for sent in step.sends:
            got[sent.to] = sent.total
            count[sent.to] += 1
    assert got == walks.totals
    assert count == walks.uses
    output.backward(np.ones_like(output.value)[()])
    if all(isinstance(x, ag.Tensor) for x in names.values()):
        for name, x in names.items():
            assert x.op or (name, shown(x.grad)) in [(walks.names[i], walks.totals[i]) for i in walks.totals]


def test_a_send_names_its_edge(sample):
    output, names = sample
    drawing = draw(output, names=names)
    drawn = edges(drawing)
    for way in (drawing.walks.sweep, drawing.walks.naive):
        sends = [(step.card, sent) for step in way for sent in step.sends]
        assert all(drawn[sent.edge] == (sent.to, card) for card, sent in sends)
        assert len({sent.edge for _, sent in sends}) == len(sends)


def test_the_local_derivative_stands_where_there_is_one_number_of_it():
    x = ag.Tensor(3.0)
    [step] = draw(x * x * 1.0).walks.sweep[1:]
    assert [(sent.local, sent.amount, sent.total) for sent in step.sends] == [("3", "3", "3"), ("3", "3", "6")]
    x = ag.Tensor(np.ones(2))
    assert draw(x.sum()).walks.sweep[0].sends[0].local == ""


def test_the_naive_walk_sends_too_early():
    output, names = diamond()
    walks = draw(output, names=names).walks
    card = {name: i for i, name in walks.names.items()}
    a, x, w = names["a"].item(), names["x"].item(), names["w"].item()
    half, whole = np.cos(a) * np.exp(a), (np.cos(a) + np.sin(a)) * np.exp(a)
    order = [walks.names[step.card] for step in walks.naive]
    assert order == ["y (×)", "b (sin)", "a (×)", "c (exp)"]
    assert [walks.names[step.card] for step in walks.sweep] == ["y (×)", "c (exp)", "b (sin)", "a (×)"]
    assert walks.naive[2].gradient == shown(half)
    assert walks.totals[card["a (×)"]] == shown(whole)
    assert walks.wrong == {card["x"]: shown(half * w), card["w"]: shown(half * x)}


def test_the_naive_walk_is_right_where_only_leaves_are_shared():
    output, names = leaves()
    assert not draw(output, names=names).walks.wrong


def test_a_long_way_does_not_recurse():
    x = y = ag.Tensor(0.5)
    for _ in range(5000):
        y = ag.sin(y)
    walks = draw(y, fold=False, max_nodes=6000, names={"x": x}).walks
    assert len(walks.sweep) == len(walks.naive) == 5000
    assert not walks.wrong


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, [], [np.nan, 1.0], [1e300, 1e-300]])
def test_any_value_can_move(value):
    x = ag.Tensor(value)
    with np.errstate(all="ignore"):
        drawing = draw(ag.log(x * x).sum())
    assert ET.fromstring(drawing.animated_svg) is not None
    assert len(data_of(drawing.html)["cards"]) <= drawing.html.count('class="grad figure"')


def test_without_gradients_there_is_nothing_to_step_through(tmp_path):
    x = ag.Tensor(2.0)
    y = ag.sin(ag.sin(ag.sin(ag.sin(x))))
    parts = (draw(y, fold=True), draw(y, focus=x, hops=1))
    for drawing in (draw(x * x, grads=False), draw(x), draw(ag.Tensor(2.0, requires_grad=False)), *parts):
        for kind in ("html", "animated_svg"):
            with pytest.raises(ValueError, match="no gradients to step through"):
                getattr(drawing, kind)
        with pytest.raises(ValueError, match="no gradients to step through"):
            drawing.save(tmp_path / "x.html")
    assert not list(tmp_path.iterdir())


def test_the_page_is_a_snapshot():
    output, names = diamond()
    before = draw(output, names=names).html
    drawing = draw(output, names=names)
    names["x"].data = 7.0
    assert drawing.html == before


@pytest.mark.parametrize("what", ["leaf", "view of a leaf", "constant", "parameter", "whole graph"])
def test_what_happens_after_drawing_leaves_the_page_alone(what):
    scale = ag.primitive("scale", lambda x, by: x * by, lambda g, y, x, by: g * by)
    x, w, c, by = (
        ag.Tensor([3.0, 1.0, 2.0]),
        ag.Tensor([2.0, 0.5, 7.0]),
        np.array([1.0, 2.0, 3.0]),
        np.array([4.0, 5.0, 6.0]),
    )
    y = ag.sum(scale(x**2 * w.reshape(3, 1) * c, by=by))
    before, drawing = draw(y).html, draw(y)
    changed = {"leaf": x.data, "view of a leaf": w.data, "constant": c, "parameter": by}
    if what in changed:
        changed[what][:] = 1.5  # nobody notices
    else:
        y.backward(retain_graph=False)
    assert drawing.html == before


# -- the page --------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Elements, attributes and the text of scripts; that every element is closed is asserted."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.scripts = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if self.open and self.open[-1] == "script":
            self.scripts.append(text)


def data_of(html):
    """Give what the script of a page reads."""
    return json.loads(Page(html).scripts[0])


def assert_closed(html):
    """The page fetches nothing, and runs no script but its own."""
    page = Page(html)
    [policy] = [a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    kinds = [a.get("type") for tag, a in page.elements if tag == "script"]
    assert kinds == ["application/json", None]
    assert len(page.scripts) == 2
    digest = b64encode(sha256(page.scripts[1].encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}';" in policy
    for tag, attributes in page.elements:
        assert tag not in ("a", "link", "img", "iframe", "object", "embed", "base", "form", "use", "image")
        assert not [name for name in attributes if name in ("src", "href", "xlink:href") or name.startswith("on")]
    assert not re.search(r"url\(|@import", html)
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    return page


def test_the_page_is_closed_and_whole(sample):
    output, names = sample
    page = assert_closed(draw(output, names=names, title="A & B").html)
    tags = [tag for tag, _ in page.elements]
    assert tags.count("svg") == tags.count("main") == tags.count("h1") == 1
    assert {"aria-live": "polite", "role": "status", "id": "say"} in [a for _, a in page.elements]


def test_the_page_has_the_numbers_of_the_walks(sample):
    output, names = sample
    drawing = draw(output, names=names)
    walks, data = drawing.walks, data_of(drawing.html)
    numbers = [card["number"] for card in data["cards"]]
    assert [card["right"] for card in data["cards"]] == list(walks.totals.values())
    assert [card["name"] for card in data["cards"]] == list(walks.names.values())
    for way, steps in ((data["sweep"], walks.sweep), (data["naive"], walks.naive)):
        assert len(way["said"]) == len(steps) + 1
        for there, step in zip(way["steps"], steps, strict=True):
            assert (numbers[there["card"]], there["gradient"]) == (step.card, step.gradient)
            found = [(s["edge"], numbers[s["to"]], s["amount"], s["total"]) for s in there["sends"]]
            assert found == [(s.edge, s.to, s.amount, s.total) for s in step.sends]
    for element in (*(f"n{i}" for i in numbers), *(f"e{s.edge}" for step in walks.sweep for s in step.sends)):
        assert f'-{element}"' in drawing.html


def test_the_page_says_what_happens():
    output, names = diamond()
    data = data_of(draw(output, names=names).html)
    assert data["sweep"]["said"][3] == [
        "Step 3 of 4. b (sin) sends back: a (×) = 0.732 × 2.12 = 1.55.",
        "a (×) has 2 of 2 contributions and is complete: 2.99.",
        False,
    ]
    assert data["sweep"]["said"][4][1] == "Every gradient is complete."
    assert data["naive"]["said"][3] == [
        "Step 3 of 4. a (×) sends back: x = 0.5 × 1.55 = 0.774; w = 1.5 × 1.55 = 2.32.",
        "Too early: a (×) has 1 of 2 contributions, and sends 1.55 on in place of 2.99.",
        True,
    ]
    assert data["naive"]["said"][4][1] == (
        "Too late: a (×) has sent already, and never sends this 1.44 on. "
        "Wrong in the end: x = 0.774, not 1.5; w = 2.32, not 4.49."
    )


def test_hostile_text_is_only_text():
    tensors = {name: ag.Tensor(1.0) for name in HOSTILE}
    total = ag.Tensor(0.0)
    for name, x in tensors.items():
        total = total + ag.primitive(name, lambda x: x + 1, lambda g, y, x: g)(x * x)
    drawing = draw(total, names=tensors, title=HOSTILE[9] + HOSTILE[6], max_nodes=500)
    assert_closed(drawing.html)
    named = {card["name"] for card in data_of(drawing.html)["cards"]}
    assert {plain(name) for name in HOSTILE if plain(name).strip()} <= named
    assert_moving(drawing)


@pytest.mark.parametrize(("theme", "there", "other"), [("light", 0, 1), ("dark", 1, 0)])
def test_a_theme_can_be_fixed(theme, there, other):
    output, names = diamond()
    drawing = draw(output, names=names)
    svg = drawing.svg.replace("prefers-color-scheme", "")
    for text in (page(svg, drawing.walks, "y", theme), animate(svg, drawing.walks, theme)):
        assert f"fill:{PALETTE['gradient'][there]}" in text
        assert f".dot{{fill:{PALETTE['gradient'][other]}" not in text
        assert "prefers-color-scheme" not in text
    assert f'name="color-scheme" content="{theme}"' in page(svg, drawing.walks, "y", theme)


def test_a_page_is_saved(tmp_path):
    output, names = diamond()
    drawing = draw(output, names=names)
    assert drawing.save(tmp_path / "sweep.html").read_text(encoding="utf-8") == drawing.html


# -- the moving SVG --------------------------------------------------------------------------------


def assert_moving(drawing):
    """The SVG is as safe as the one that stands still, and shares no id, class or keyframes with it or another."""
    svg = drawing.animated_svg
    dots = re.findall(r"<circle [^<>]*>\s*<animateMotion [^<>]*/>\s*</circle>", svg)
    assert len(dots) == sum(len(step.sends) for step in drawing.walks.sweep)
    root = assert_safe(re.sub("|".join(map(re.escape, dots)), "", svg))
    still, moving = (set(re.findall(r'\bid="([^"]+)"', text)) for text in (drawing.svg, svg))
    assert len(still) == len(moving)
    assert not still & moving
    style = "".join(element.text for element in root.iter() if element.tag.endswith("}style"))
    prefix = root.attrib["id"]
    frames = re.findall(r"@keyframes ([^{]+)", style)
    assert frames
    assert all(name.startswith(f"{prefix}-") for name in frames)
    used = {name for element in root.iter() for name in element.get("class", "").split()}
    assert {name for name in used if name[-1].isdigit()} <= {name.removeprefix(f"{prefix}-") for name in frames}
    assert "@media (prefers-reduced-motion: reduce)" in style


def test_the_moving_svg_is_safe(sample):
    output, names = sample
    assert_moving(draw(output, names=names, title="y"))


def test_a_number_in_another_colour_is_the_gradient_all_the_same():
    output, names = diamond()
    drawing = draw(output, names=names)
    accent = PALETTE["gradient"][0].lower()
    other = re.sub(rf'fill="{accent}"(>[^<]*\d)', r'fill="#b3201a"\1', drawing.svg)
    assert other != drawing.svg
    assert len(re.findall("grad figure", animate(other, drawing.walks))) == len(drawing.walks.totals)


def test_a_name_is_not_taken_for_a_gradient():
    x, y = ag.Tensor(2.0), ag.Tensor(3.0)
    drawing = draw(x * y, names={"grad": x, "∇ Σ": y})
    root = ET.fromstring(drawing.animated_svg)
    kinds = {
        (e.text or "").strip(): e.get("class") for e in root.iter() if e.tag.endswith("}text") and e.get("font-weight")
    }
    assert kinds["grad"] is None
    assert kinds["∇ Σ"] is None


def test_gradients_appear_in_the_order_of_the_sweep():
    output, names = diamond()
    drawing = draw(output, names=names)
    root = ET.fromstring(drawing.animated_svg)
    groups = {g.get("id", "").rpartition("-")[2]: g for g in root.iter("{http://www.w3.org/2000/svg}g")}
    arrival = {}
    for n, step in enumerate(drawing.walks.sweep, 1):
        arrival |= {sent.to: n for sent in step.sends}
    for card, n in arrival.items():
        kinds = [e.get("class", "").split() for e in groups[f"n{card}"].iter()]
        assert {kind[-1] for kind in kinds if "grad" in kind} == {f"from{n}"}
        assert sum("figure" in kind for kind in kinds) == 1


# -- in a browser ----------------------------------------------------------------------------------

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def browse(*arguments):
    """Start a headless Chromium, if it, its driver and Selenium are there."""
    selenium = pytest.importorskip("selenium.webdriver")
    service = pytest.importorskip("selenium.webdriver.chrome.service")
    driver = shutil.which("chromedriver")
    if not (CHROMIUM and driver):
        pytest.skip("there is no chromium, or no chromedriver")
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "window-size=1100,1000", *arguments):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return selenium.Chrome(options=options, service=service.Service(driver))


@pytest.fixture(scope="module")
def chromium():
    browser = browse()
    yield browser
    browser.quit()


@pytest.fixture
def visit(chromium, tmp_path):
    """Open the page of a sample; in the end nothing may be in the log."""
    chromium.get_log("browser")

    def visit(output, names, **options):
        drawing = draw(output, names=names, **options)
        chromium.get(drawing.save(tmp_path / "sweep.html").as_uri())
        return Browser(chromium), drawing

    yield visit
    assert chromium.get_log("browser") == []


class Browser:
    """What one who looks at the page sees and does."""

    def __init__(self, driver):
        self.driver = driver

    def find(self, what):
        return self.driver.find_element("css selector", what)

    def text(self, what):
        return self.find(what).text

    def press(self, key, what="body"):
        self.find(what).send_keys(key)

    def sums(self):
        """Give the rows of the table: a list of cells for every card."""
        return {
            row[0]: row[1:]
            for row in self.driver.execute_script(
                "return [...document.querySelectorAll('#sums tr')]"
                ".map(row => [...row.cells].filter(cell => cell.checkVisibility()).map(cell => cell.innerText))"
            )
        }

    def card(self, i):
        """Give the visible text on a card of the picture."""
        return self.driver.execute_script(
            "return [...document.querySelectorAll(`g[id$='-n${arguments[0]}'] text`)]"
            ".filter(text => text.checkVisibility({visibilityProperty: true})).map(text => text.textContent).join(' ')",
            i,
        )

    def edge(self, i):
        """Give the visible text at an edge."""
        return self.driver.execute_script(
            "const edge = document.querySelector(`g[id$='-e${arguments[0]}']`);"
            "return [...edge.querySelectorAll('text')].filter(t => t.checkVisibility({visibilityProperty: true}))"
            ".map(text => text.textContent).join(' ')",
            i,
        )


def test_the_browser_steps(visit):
    browser, drawing = visit(*diamond())
    assert browser.text("#say") == "Step 0 of 4. The start: the gradient of y (×) is 1."
    assert browser.sums()["a (×)"] == ["(0 of 2)", ""]
    card = {name: i for i, name in drawing.walks.names.items()}
    assert "grad" not in browser.card(card["a (×)"])
    assert "∇ 1 · seed" in browser.card(card["y (×)"])
    for n, step in enumerate(drawing.walks.sweep, 1):
        browser.find("#on").click()
        assert browser.text("#say") == data_of(drawing.html)["sweep"]["said"][n][0]
        for sent in step.sends:
            assert browser.edge(sent.edge) == f"∇ {sent.amount}"
            assert f"grad {sent.total}" in browser.card(sent.to)
    assert browser.sums()["a (×)"] == ["1.44 + 1.55", "2.99"]
    assert not browser.find("#on").is_enabled()
    browser.find("#back").click()
    assert browser.text("#say").startswith("Step 3 of 4.")
    assert "grad" not in browser.card(card["x"])
    browser.find("#first").click()
    assert browser.sums()["a (×)"] == ["(0 of 2)", ""]
    browser.find("#last").click()
    assert {name: row[1] for name, row in browser.sums().items()} == {
        name: drawing.walks.totals[i] for i, name in drawing.walks.names.items()
    }


def test_the_browser_sums_while_contributions_come(visit):
    browser, _ = visit(*leaves())
    seen = [browser.sums()["x"]]
    for _ in range(4):
        browser.find("#on").click()
        seen.append(browser.sums()["x"])
    assert seen == [["(0 of 4)", ""], ["1 (1 of 4)", "1"], ["1 (1 of 4)", "1"], ["1 + 0.159 (2 of 4)", "1.16"],
                    ["1 + 0.159 + 1.5 + 1.5", "4.15"]]  # fmt: skip


def test_the_browser_names_a_wrong_rule(visit):
    sin = ag.primitive("sin", np.sin, lambda g, y, x: g * y)
    x = ag.Tensor(1.5)
    browser, drawing = visit(x * x * sin(x) + x, {"x": x}, check=True)
    [guilty] = drawing.walks.faults
    assert browser.edge(guilty) == ""
    for step in drawing.walks.sweep:
        assert not browser.find("#note").get_attribute("class")
        browser.find("#on").click()
        if guilty in [sent.edge for sent in step.sends]:
            break
    assert browser.text("#note") == "The rule for x is wrong: ∇ 2.24, numeric 0.159."
    assert browser.find("#note").get_attribute("class") == "bad"
    assert browser.edge(guilty) == "✗ ∇ 2.24, numeric 0.159"
    browser.find("#last").click()
    assert browser.text("#note") == "Spoilt by a wrong rule: x = 6.24, numeric 4.15."
    assert "✗ numeric 4.15" in browser.card(0)


def test_the_browser_obeys_keys_and_slider(visit):
    from selenium.webdriver.common.keys import Keys

    browser, _ = visit(*diamond())
    at = lambda: int(re.match(r"Step (\d) of 4", browser.text("#say"))[1])
    for key, want in [(Keys.RIGHT, 1), (Keys.RIGHT, 2), (Keys.LEFT, 1), (Keys.END, 4), (Keys.RIGHT, 4), (Keys.HOME, 0)]:
        browser.press(key)
        assert at() == want
    browser.press(Keys.RIGHT, "#slider")
    assert at() == 1
    assert browser.find("#slider").get_attribute("aria-valuetext") == "1 of 4"
    browser.driver.execute_script(
        "const slider = document.querySelector('#slider');"
        "slider.value = 3; slider.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    assert at() == 3
    browser.press("n")
    assert browser.find("#naive").is_selected()
    assert at() == 3
    browser.press(Keys.SPACE, "#naive")
    assert not browser.find("#naive").is_selected()


def test_the_browser_plays_and_pauses(visit):
    browser, _ = visit(*diamond())
    browser.press(" ")
    assert browser.text("#play") == "Pause"
    wait_for(lambda: browser.text("#say").startswith("Step 1 of 4."))
    browser.find("#play").click()
    assert browser.text("#play") == "Play"
    time.sleep(2)
    assert browser.text("#say").startswith("Step 1 of 4.")
    browser.find("#slider").send_keys("\ue010")  # End, then back one: what is left is one step
    browser.find("#back").click()
    browser.press(" ", "#play")
    wait_for(lambda: browser.text("#play") == "Play")
    assert browser.text("#say").startswith("Step 4 of 4.")


def wait_for(true, seconds=10):
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_browser_shows_what_the_naive_walk_sends(visit):
    browser, drawing = visit(*diamond())
    browser.find("#naive").click()
    browser.find("#last").click()
    assert browser.sums()["a (×)"] == ["1.55 + 1.44", "2.99", "1.55 ✗ too early", "2.99"]
    assert browser.sums()["x"] == ["0.774", "0.774 ✗", "", "1.5"]
    card = {name: i for i, name in drawing.walks.names.items()}
    assert "grad 0.774" in browser.card(card["x"])
    assert "bad" in browser.find(f"g[id$='-n{card['x']}']").get_attribute("class")
    assert "Wrong in the end: x = 0.774, not 1.5" in browser.text("#note")
    [late] = drawing.walks.naive[-1].sends
    assert "late" in browser.find(f"g[id$='-e{late.edge}']").get_attribute("class")
    browser.find("#naive").click()
    assert "grad 1.5" in browser.card(card["x"])
    assert not browser.driver.find_elements("css selector", ".bad, .late")


def test_the_browser_points_to_the_card_of_a_row(visit):
    from selenium.webdriver import ActionChains

    browser, drawing = visit(*diamond())
    ActionChains(browser.driver).move_to_element(browser.find("#sums tr:nth-child(2)")).perform()
    [pointed] = browser.driver.find_elements("css selector", ".pointed")
    assert pointed.get_attribute("id").endswith(f"-n{list(drawing.walks.names)[1]}")


def test_the_browser_keeps_the_card_in_sight(visit):
    x = y = ag.Tensor(0.5)
    for _ in range(24):
        y = ag.sin(y)
    browser, _ = visit(y, {"x": x})
    for _ in range(24):
        browser.find("#on").click()
        top, bottom, bar, height = browser.driver.execute_script(
            "const box = document.querySelector('g.current').getBoundingClientRect();"
            "const bar = document.querySelector('.bar').getBoundingClientRect();"
            "return [box.top, box.bottom, bar.bottom, innerHeight]"
        )
        assert bar <= top < bottom <= height


def test_the_browser_shows_the_source_line(visit):
    with ag.source_lines():
        output, names = diamond()
    browser, _ = visit(output, names)
    found = []
    for _ in range(5):
        found.append(browser.text("#line"))
        browser.find("#on").click()
    code = diamond.__code__.co_firstlineno
    file, lines = found[0].split(":")[0], [int(line.rpartition(":")[2]) - code for line in found]
    assert (file, lines) == ("test_stepper.py", [5, 5, 4, 4, 3])  # the start shows that of the output
    say, line = (browser.find(what).rect for what in ("#say", "#line"))
    assert say["y"] + say["height"] <= line["y"]
    visit(*diamond())
    assert browser.text("#line") == ""
    assert browser.find("#line").size["height"] == 0


@pytest.mark.parametrize("name", ["mlp", "assorted"])
def test_the_browser_shows_tensors(visit, name):
    browser, drawing = visit(*SAMPLES[name]())
    browser.find("#last").click()
    for i, total in drawing.walks.totals.items():
        assert f"∇ {total}" in browser.card(i) or "seed" in browser.card(i) or f"grad {total}" in browser.card(i)


def test_the_page_runs_no_other_script(chromium, tmp_path):
    output, names = diamond()
    html = draw(output, names=names).html.replace("</main>", "<script>document.title = 'bad'</script></main>")
    path = tmp_path / "bad.html"
    path.write_text(html, encoding="utf-8")
    chromium.get(path.as_uri())
    assert chromium.title == "Computation graph"
    assert "Content Security Policy" in str(chromium.get_log("browser"))


def frames(browser, drawing, folder, count=4):
    """Give pictures of the moving SVG in an ``<img>``, half a second apart."""
    (folder / "y.svg").write_text(drawing.animated_svg, encoding="utf-8")
    (folder / "y.html").write_text("<img src='y.svg' width='600'>", encoding="utf-8")
    browser.get((folder / "y.html").as_uri())
    picture = browser.find_element("css selector", "img")
    wait_for(lambda: picture.get_property("complete") and picture.get_property("naturalWidth"))
    shots = set()
    for _ in range(count):
        shots.add(picture.screenshot_as_png)
        time.sleep(0.5)
    return shots


def test_the_moving_svg_plays_in_an_img(chromium, tmp_path):
    output, names = diamond()
    assert len(frames(chromium, draw(output, names=names), tmp_path)) > 1


def test_the_moving_svg_stands_still_for_who_asks(tmp_path):
    browser = browse("force-prefers-reduced-motion")
    try:
        output, names = diamond()
        drawing = draw(output, names=names)
        assert len(frames(browser, drawing, tmp_path)) == 1
        browser.get((tmp_path / "y.svg").as_uri())
        opacity = (
            "return [...new Set([...document.querySelectorAll(arguments[0])].map(e => getComputedStyle(e).opacity))]"
        )
        assert browser.execute_script(opacity, ".grad") == ["1"]
        assert browser.execute_script(opacity, ".dot, .glow") == ["0"]
        assert browser.get_log("browser") == []
    finally:
        browser.quit()
