"""html_page.py: a page as a browser shows it, and its elements."""
import html.parser

from support import flow


class Page(html.parser.HTMLParser):
    """The elements of a document, with the text of each."""

    VOID = {"meta", "link", "input", "br", "img"}

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", **dict(attrs)}
        self.elements.append(element)
        if tag not in self.VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        while self.open and self.open.pop()["tag"] != tag:
            pass

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag, **attributes):
        return [e for e in self.elements if e["tag"] == tag
                and all(e.get(k) == v for k, v in attributes.items())]

    def one(self, id):
        return next(e for e in self.elements if e.get("id") == id)

    def rows(self, kind):
        return [e["text"] for e in self.all("tr", **{"class": kind})]


def browse(url, *options):
    """What the browser prints."""
    chromium = flow.need("chromium")
    return flow.run(chromium, "--headless", "--no-sandbox", "--disable-gpu",
                    "--hide-scrollbars", "--no-first-run",
                    f"--user-data-dir={flow.folder()}", *options, url,
                    timeout=120).stdout
