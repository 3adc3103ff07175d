"""Pages in a real browser without a network, what they asked for, and waiting on them."""

import time

PATIENCE_S = 120  # a machine with other work to do is slow, not wrong


def watched_page(browser, **options):
    """An empty page; what it will ask for and complain of is kept in `asked` and `said`."""
    page = browser.new_context(offline=True, **options).new_page()
    page.set_default_timeout(1000 * PATIENCE_S)
    page.asked, page.said = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    return page


def until(page, condition):
    """Wait without `wait_for_function`, which the pages' own policy refuses."""
    end = time.monotonic() + PATIENCE_S
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"{condition} did not come true"
        page.wait_for_timeout(15)
