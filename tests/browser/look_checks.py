"""What the pages should look like, asked of one that is open: each returns what is not so. See `test_faults.py`."""

# The grid and the type, at any width from 1200 pixels on, between 992 and 1200, and below.
LOOK = """() => {
    const article = document.querySelector(".bd-article"), wide = innerWidth >= 1200, faults = [];
    if (!article) return faults; // the page of the search
    const all = (selector) => [...article.querySelectorAll(selector)].filter((each) => each.getClientRects().length);
    const box = (element) => element.getBoundingClientRect();
    const said = (element) => element.outerHTML.slice(0, 90);
    const expect = (holds, element, words) => holds || faults.push(`${words}: ${said(element)}`);
    const near = (one, other) => Math.abs(one - other) < 0.6;
    const styled = (selector, wanted) => {
        for (const element of all(selector).filter((each) => !each.closest(".hilladam"))) {
            const style = getComputedStyle(element);
            for (const [name, value] of Object.entries(wanted)) {
                const is = style.getPropertyValue(name);
                const right = typeof value === "number" ? near(parseFloat(is), value) : is === value;
                expect(right, element, `${name} is ${is}, not ${value}`);
            }
        }
    };
    styled("section > p", { "font-size": 17, "line-height": 27 });
    styled("h1", { "font-size": innerWidth < 576 ? 32 : 38, "text-wrap-style": "balance" });
    styled("h2", { "font-size": 25 });
    styled("h3", { "font-size": 20 });
    styled("figcaption > p", { "font-size": 14.5, "line-height": 21, "font-weight": "400", "text-align": "start" });
    styled(".highlight pre", { "font-size": 13 });
    styled("table :is(td, tbody th)", { "background-color": "rgba(0, 0, 0, 0)", "border-left-width": 0,
        "border-right-width": 0, "font-variant-numeric": "lining-nums tabular-nums" });
    styled("details.hide > summary", { "border-left-width": 0, "background-color": "rgba(0, 0, 0, 0)" });
    styled("details.hide > summary > p", { "font-weight": "400" });
    for (const strong of all("figcaption strong")) {
        expect(getComputedStyle(strong).fontWeight >= 600, strong, "the finding is not bold");
    }
    const thin = [...document.querySelectorAll("body *")].find((each) => getComputedStyle(each).fontWeight < 400);
    if (thin) faults.push(`thin letters: ${said(thin)}`);

    const column = article.clientWidth - parseFloat(getComputedStyle(article).paddingLeft) * 2;
    for (const p of all("section > :is(p, ul, ol)")) expect(box(p).width <= 640.5, p, "a line too long to read");
    for (const line of all("details.hide > summary")) expect(box(line).height <= 46, line, "folded code on two lines");
    for (const figure of all(".tag_margin-caption figure")) {
        const [image, caption] = [figure.querySelector("img"), figure.querySelector("figcaption")].map(box);
        expect(image.width <= 640.5, figure, "a figure wider than the text");
        expect(wide ? caption.left >= image.right && caption.top < image.bottom : caption.top >= image.bottom - 1,
               figure, "the caption is not where it should be");
        expect(caption.right <= innerWidth, figure, "the caption is cut off");
    }
    for (const cell of all(".tag_full-width")) {
        const { width, right } = box(cell);
        expect(wide ? width > 1.3 * column : width <= column + 1, cell, `as wide as ${width} of ${column}`);
        expect(right <= innerWidth, cell, "it runs off the page");
    }
    for (const interval of all(":is(td, td > p) > .together")) {
        expect(interval.getClientRects().length === 1, interval, "an interval on two lines");
    }
    for (const image of all("figure img")) {
        if (!image.naturalWidth) continue;
        const { width, height } = box(image);
        expect(Math.abs(width / height / (image.naturalWidth / image.naturalHeight) - 1) < 0.02, image, "out of shape");
    }
    // What is wider than its box scrolls; nothing is cut off.
    for (const each of all("*")) {
        if (each.closest("mjx-container, .math, .hilladam, svg, .toggle-hidden") || each.clientWidth < 2) continue;
        const { overflowX } = getComputedStyle(each);
        expect(!["hidden", "clip"].includes(overflowX) || each.scrollWidth <= each.clientWidth + 1, each, "cut off");
    }
    for (const pre of wide ? all(".cell_input pre") : []) {
        const longest = Math.max(...pre.textContent.split("\\n").map((line) => line.length));
        const fits = pre.scrollWidth <= pre.clientWidth;
        expect(longest > 84 || innerWidth < 1360 || fits, pre, `${longest} columns do not fit`);
    }
    // A formula that stands by itself fits its column, and leaves its number alone. On a phone it scrolls.
    for (const formula of innerWidth >= 992 ? article.querySelectorAll("mjx-container[display] > mjx-math") : []) {
        const fold = formula.closest("details:not([open])");
        if (fold) fold.open = true;
        const [{ left, right, top, bottom }, place] = [formula, formula.closest("div.math")].map(box);
        expect(left > place.left - 1 && right < place.right + 1, formula.closest("div.math"), "a formula too wide");
        const number = formula.closest("div.math").querySelector(".eqno");
        const aside = !number || box(number).bottom < top || box(number).top > bottom || box(number).left > right + 7;
        expect(aside, formula.closest("div.math"), "a formula runs into its number");
        if (fold) fold.open = false;
    }
    const logo = document.querySelector(".navbar-brand img");
    expect(box(logo).height <= 40, logo, "a large logo");
    return [...new Set(faults)].slice(0, 20);
}"""

# What a finger has to meet and is less than 44 pixels high, but for what stands in a line of text.
SMALL = """() => {
    const met = "a, button, input:not([type=checkbox]), select, summary, label.btn, .toggles label";
    const inText = "p, li > a, dd, td, th, dl, mjx-container, .citation, .genindextable, #search-results";
    const elsewhere = ".extra_footer, .skip-link, .search-button__wrapper, nav.bd-links, nav.page-toc";
    return [...document.querySelectorAll(met)]
        .filter((each) => each.getClientRects().length && getComputedStyle(each).visibility === "visible")
        .filter((each) => !each.closest(`${inText}, ${elsewhere}`))
        .map((each) => [each, each.getBoundingClientRect()])
        .filter(([, { right, left, bottom, height }]) => right > 0 && left < innerWidth && bottom > 0 && height < 43.5)
        .map(([each, { width, height }]) => `${width} × ${height}: ${each.outerHTML.slice(0, 90)}`);
}"""

# Marks of punctuation at the beginning of a line, and brackets at the end of one, parted from their formula.
STRAYED = """() => {
    const found = [];
    for (const formula of document.querySelectorAll(".bd-article span.math")) {
        const drawn = formula.querySelector("mjx-math")?.getBoundingClientRect();
        const ends = [[formula.nextSibling, /^[-.,;:!?)\\]”’…]/, 0], [formula.previousSibling, /[(\\[“‘]$/, -1]];
        for (const [text, marks, from] of drawn?.width ? ends : []) {
            const mark = text?.nodeType === Node.TEXT_NODE && text.data.match(marks);
            if (!mark) continue;
            const range = document.createRange();
            range.setStart(text, mark.index);
            range.setEnd(text, mark.index + 1);
            const { left, right, width } = range.getBoundingClientRect();
            const parted = from ? left > drawn.left + 5 : right < drawn.right - 5;
            if (width && parted) found.push(`${text.data.slice(from ? -20 : 0)} beside ${formula.textContent}`);
        }
    }
    return found;
}"""

# Formulas in a line that are wider than it is, but for those of tables, which scroll.
CUT_OFF = """() => [...document.querySelectorAll(".bd-article span.math mjx-math")]
    .filter((formula) => formula.getClientRects().length && !formula.closest("table, details:not([open])"))
    .map((formula) => [formula, formula.closest("p, li, dd, figcaption")])
    .filter(([formula, line]) => line && formula.getBoundingClientRect().right > line.getBoundingClientRect().right + 1)
    .map(([formula]) => formula.textContent)"""

# Signs of links that nobody sees and that take room, as a line of their own below a caption.
UNSEEN = """() => [...document.querySelectorAll(".bd-article .headerlink")]
    .filter((sign) => sign.getClientRects().length && getComputedStyle(sign).visibility === "hidden")
    .map((sign) => sign.parentElement.textContent.slice(0, 60))"""

# Links to the pages before and after of which something is cut off: the end of a long word, or the arrow.
CLIPPED = """() => [...document.querySelectorAll(".prev-next-area a")]
    .filter((link) => link.scrollWidth > link.clientWidth).map((link) => link.textContent.trim())"""

# Figures whose letters of 11 points are lower than 9 pixels.
TINY = """() => [...document.querySelectorAll(".bd-article .sideways > img")]
    .filter((image) => image.getClientRects().length)
    .map((image) => [image, image.getBoundingClientRect().width / image.style.getPropertyValue("--inches")])
    .filter(([, inch]) => !(inch * 11 / 72 > 8.9 && inch < Infinity))
    .map(([image, inch]) => `an inch of ${inch} pixels: ${image.alt.slice(0, 60)}`)"""
